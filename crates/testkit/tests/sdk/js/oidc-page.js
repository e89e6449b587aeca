// What a single-page app's bundle hands to its page.
import { UserManager, WebStorageStateStore } from 'oidc-client-ts';

window.UserManager = UserManager;
window.WebStorageStateStore = WebStorageStateStore;
