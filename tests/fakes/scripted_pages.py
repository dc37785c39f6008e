# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages and scripts of the fake phones of scripted.py, for real browsers."""

from __future__ import annotations


def page(model: str, script: str) -> str:
    return f"""<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{model} console</title></head>
<body><div id="app">Loading</div><script src="/static/{script}.js"></script></body></html>
"""


_LOGIN_FORM = """
const app = document.getElementById("app");
function loginForm() {
  app.innerHTML = '<form id="login"><input id="user" name="user"><input id="pass" name="pass" type="password"><button id="enter">Log in</button></form>'
    + '<p id="state"></p>';
  document.getElementById("login").addEventListener("submit", event => { event.preventDefault(); login(); });
}
function state(text) { document.getElementById("state").textContent = text; }
function field(id) { return document.getElementById(id).value; }
"""

# The single page of "api".
API_SCRIPT = _LOGIN_FORM + """
let token = "";
let account = null;
function scramble(text) { return text; }
/*LOGIN*/
async function call(method, path, body, more) {
  const headers = Object.assign({"X-Nimbus-Token": token}, more || {});
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch("/api/v1/" + path, {method, headers, body: body ? JSON.stringify(body) : undefined});
  return answer.json();
}
async function login() {
  const answer = await call("POST", "session", {user: field("user"), pass: scramble(field("pass")), remember: false});
  if (answer.status != "welcome") { state("refused"); return; }
  token = answer.token;
  app.innerHTML = '<a href="#sip" id="sip">SIP</a> <a href="#out" id="out">Log out</a><div id="main"></div><p id="state">in</p>';
  document.getElementById("sip").onclick = () => show(1);
  document.getElementById("out").onclick = async () => { await call("DELETE", "session"); loginForm(); state("out"); };
  setInterval(() => fetch("/api/v1/about"), 400);
}
async function show(number) {
  const answer = await call("GET", "accounts/" + number + "?_=" + Date.now());
  account = answer.account;
  document.getElementById("main").innerHTML = '<label>Local SIP port <input id="localPort"></label><button id="save">Save</button>';
  document.getElementById("localPort").value = account.localPort;
  document.getElementById("save").onclick = () => save(number);
  state("account " + account.localPort);
}
async function save(number) {
  const ticket = (await call("GET", "ticket")).ticket.value;
  account.localPort = Number(field("localPort"));
  const answer = await call("PUT", "accounts/" + number, {action: "store-account", account}, {"X-Nimbus-Ticket": ticket});
  if (answer.status == "stored") { await show(number); state("saved"); } else state("not saved");
}
fetch("/api/v1/about").then(answer => answer.json()).then(about => { document.title = about.model; loginForm(); });
"""

# How "sealed" sends its password: in a way of its own that no table of known ways has.
SEALED_LOGIN = """
scramble = text => [...text].map(char => (char.charCodeAt(0) ^ 90).toString(16).padStart(4, "0")).join("").split("").reverse().join("");
"""

# The scripts of "form": jQuery's way of doing things, without jQuery.
FORM_SCRIPT = _LOGIN_FORM + """
async function sha256(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, "0")).join("");
}
async function post(path, fields) {
  const answer = await fetch(path, {method: "POST", headers: {"X-Requested-With": "XMLHttpRequest"}, body: new URLSearchParams(fields)});
  return answer.text();
}
async function login() {
  const nonce = (await (await fetch("/cgi/nonce?r=" + Math.random())).json()).nonce;
  const said = await post("/cgi/login", {user: field("user"), digest: await sha256(field("pass") + nonce)});
  if (said != "ok") { state("refused"); return; }
  app.innerHTML = '<a href="#sip" id="sip">SIP</a> <a href="#out" id="out">Log out</a><div id="main"></div><p id="state">in</p>';
  document.getElementById("sip").onclick = () => show(1);
  document.getElementById("out").onclick = async () => { await post("/cgi/logout", {}); loginForm(); state("out"); };
}
async function show(number) {
  const view = "sip-line";
  const piece = await (await fetch("/cgi/page?view=" + view + "&line=" + number)).text();
  document.getElementById("main").innerHTML = piece + '<button id="save">Save</button>';
  document.getElementById("save").onclick = () => save(number);
  state("account " + field("localPort"));
}
async function save(number) {
  const fields = new FormData(document.getElementById("line"));
  fields.append("mode", "apply-now");
  const said = await post("/cgi/apply", fields);
  if (said == "done") { await show(number); state("saved"); } else state("not saved");
}
loginForm();
"""
