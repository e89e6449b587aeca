"""mcp from nothing but the address of the tools: it is refused, finds the server, says who it is
(registers, or names its metadata document), logs somebody in, calls a tool, refreshes, and asks for
more when a tool needs more. The same with version 1 of the library, which most programs have."""

import contextlib
import importlib.metadata
import json
import time
import urllib.parse

import anyio
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

from talk import Listener, ask, expect, task

MODERN = not importlib.metadata.version("mcp").startswith("1.")


class Storage:
    """An app's keeper of what the library wants to be kept."""

    def __init__(self):
        self.tokens = []
        self.client = None

    async def get_tokens(self):
        return self.tokens[-1] if self.tokens else None

    async def set_tokens(self, tokens):
        self.tokens.append(tokens)

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Person:
    """The user's part of it."""

    def __init__(self):
        self.listener = Listener()
        self.asked = []

    async def open(self, url):
        query = urllib.parse.urlsplit(url).query
        self.asked.append(dict(urllib.parse.parse_qsl(query)))
        await ask("allow", url)

    async def come_back(self):
        answer = await self.listener.next()
        expect("iss", answer["iss"], task["issuer"])
        if not MODERN:
            return answer["code"], answer["state"]
        from mcp.shared.auth import AuthorizationCodeResult

        return AuthorizationCodeResult(**answer)


@contextlib.asynccontextmanager
async def connected(provider):
    """A session: what lists tools and calls them."""
    if MODERN:
        import httpx2
        from mcp import Client

        async with httpx2.AsyncClient(auth=provider) as http:
            async with Client(streamable_http_client(task["url"], http_client=http)) as client:
                yield client
    else:
        import httpx
        from mcp import ClientSession

        async with httpx.AsyncClient(auth=provider) as http:
            async with streamable_http_client(task["url"], http_client=http) as (read, write, _):
                async with ClientSession(read, write) as session:
                    await session.initialize()
                    yield session


async def call(session, name, arguments):
    result = (await session.call_tool(name, arguments)).model_dump(by_alias=True, mode="json")
    if result.get("isError"):
        raise AssertionError(f"{name}: {result['content']}")
    return json.dumps(result.get("structuredContent") or result["content"])


async def pass_time(seconds):
    """The server's clock and this program's go on."""
    passed = await ask("pass", seconds)
    clock = time.time
    time.time = lambda: clock() + passed


async def main():
    person, storage = Person(), Storage()
    provider = OAuthClientProvider(
        task["url"],
        OAuthClientMetadata(
            client_name="Python Assistant",
            redirect_uris=[person.listener.redirect_uri],
            token_endpoint_auth_method=task.get("method"),
        ),
        storage,
        redirect_handler=person.open,
        callback_handler=person.come_back,
        client_metadata_url=task.get("document"),
    )
    async with connected(provider) as session:
        # Whoever came with nothing has been told where to begin.
        expect("resource", person.asked[0]["resource"], task["url"])
        expect("scope", person.asked[0]["scope"], task["first_scope"])
        if "document" in task:
            expect("client", storage.client.client_id, task["document"])
        tools = {tool.name for tool in (await session.list_tools()).tools}
        expect("tools", {"list_documents", "create_document"} - tools, set())
        await call(session, "list_documents", task["list"])

        # An hour later.
        await pass_time(3601)
        await call(session, "list_documents", task["list"])
        expect("refreshed", len({tokens.access_token for tokens in storage.tokens}), 2)
        expect("nobody was asked", len(person.asked), 1)

        # What it was not allowed.
        made = await call(session, "create_document", task["create"])
        expect("created", "Water the plants" in made, True)
        wanted = {*task["first_scope"].split(), task["more"]}
        expect("more", wanted - set(person.asked[1]["scope"].split()), set())
        listed = await call(session, "list_documents", task["list"])
        expect("listed", "Water the plants" in listed, True)
        expect("still refreshable", bool(storage.tokens[-1].refresh_token), True)
        expect("asked", len(person.asked), 2)
    print("done", flush=True)


anyio.run(main)
