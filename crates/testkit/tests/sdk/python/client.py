"""frappe-client as its README shows it, against a running server.

client.py '{"url", "user", "username", "password"}' or '{"url", "user", "api_key", "api_secret"}'
"""

import json
import sys

from frappeclient import FrappeClient
from frappeclient.frappeclient import AuthError, FrappeException


def expect(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r}, not {wanted!r}")


def refused(what, call, exception):
    try:
        found = call()
    except FrappeException as error:
        if exception not in str(error):
            raise AssertionError(f"{what}: {error}, not {exception}") from error
        return
    raise AssertionError(f"{what}: not refused, but {found!r}")


def walk(client, user):
    expect("call", client.get_api("frappe.auth.get_logged_user"), user)
    expect("call by POST", client.post_api("ping"), "pong")

    made = client.insert({"doctype": "ToDo", "description": "Write to the bank", "priority": "High"})
    name = made["name"]
    expect("insert", [made["doctype"], made["status"], made["owner"]], ["ToDo", "Open", user])
    expect("get", client.get_doc("ToDo", name)["description"], "Write to the bank")

    changed = client.update({"doctype": "ToDo", "name": name, "status": "Closed"})
    expect("update", [changed["status"], changed["priority"]], ["Closed", "High"])

    rows = client.get_list("ToDo", filters={"name": name})
    expect("list of everything", [(row["name"], row["status"]) for row in rows], [(name, "Closed")])
    rows = client.get_list("ToDo", fields=["name", "priority"], filters=[["name", "=", name]],
                           limit_start=0, limit_page_length=5, order_by="creation desc")
    expect("list", rows, [{"name": name, "priority": "High"}])
    expect("list of nothing", client.get_list("ToDo", filters={"name": "nobody's"}), [])

    expect("value", client.get_value("ToDo", "status", {"name": name}), {"status": "Closed"})
    expect("values", client.get_value("ToDo", ["status", "priority"], {"name": name}),
           {"status": "Closed", "priority": "High"})
    expect("set", client.set_value("ToDo", name, "priority", "Low")["priority"], "Low")
    client.bulk_update([{"doctype": "ToDo", "docname": name, "description": "Call the bank"}])
    expect("bulk update", client.get_doc("ToDo", name)["description"], "Call the bank")

    refused("insert without what is needed", lambda: client.insert({"doctype": "ToDo"}),
            "MandatoryError")
    refused("a DocType of others", lambda: client.get_list("OAuth Client"), "PermissionError")
    refused("a method that is not", lambda: client.get_api("frappe.client.nope"), "Error")

    client.delete("ToDo", name)
    refused("get of what is gone", lambda: client.get_doc("ToDo", name), "DoesNotExistError")


def main():
    wanted = json.loads(sys.argv[1])
    url, user = wanted.pop("url"), wanted.pop("user")
    client = FrappeClient(url, **wanted)
    walk(client, user)
    if "password" in wanted:
        client.logout()
        try:
            refused("after the sign-out", lambda: client.get_list("ToDo"), "AuthenticationError")
            FrappeClient(url, wanted["username"], wanted["password"] + "x")
        except AuthError:
            pass
        else:
            raise AssertionError("a wrong password")
    print("done")


main()
