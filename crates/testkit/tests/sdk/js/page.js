// What a web app's bundle hands to the page.
import { FrappeApp } from 'frappe-js-sdk';
import { walk } from './walk.cjs';

window.FrappeApp = FrappeApp;
window.walk = walk;
