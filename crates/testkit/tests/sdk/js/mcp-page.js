// What the bundle of an assistant that runs in a page hands to it.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

window.Client = Client;
window.StreamableHTTPClientTransport = StreamableHTTPClientTransport;
