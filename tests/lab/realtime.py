"""Asterisk's realtime tables, as its own contrib/ast-db-manage makes them, and the configuration that makes a real Asterisk use them.

Of ps_endpoints' more than 100 columns those are here that phones need, and some that nobody may touch.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.lab.asterisk import HEAD, Asterisk
from tests.lab.databases import MariaDb, Server

YES_NO = ("yes", "no")                                          # the type yesno_values, up to 2024
BOOLEAN = ("0", "1", "off", "on", "false", "true", "no", "yes")         # ast_bool_values
SORCERY = """\
[res_pjsip]
endpoint = realtime,ps_endpoints
endpoint = config,pjsip.conf,criteria=type=endpoint
auth = realtime,ps_auths
auth = config,pjsip.conf,criteria=type=auth
aor = realtime,ps_aors
aor = config,pjsip.conf,criteria=type=aor
contact = realtime,ps_contacts
"""


def create(server: Server, database: str, words: tuple[str, ...] = BOOLEAN) -> None:
    """An empty database with the tables. *words*: what a boolean column may hold."""
    enum = f"ENUM({', '.join(map(repr, words))})"
    boolean = enum if isinstance(server, MariaDb) else "ast_bool_values"
    server.sql(f"CREATE DATABASE {database};")
    if not isinstance(server, MariaDb):
        server.sql(f"CREATE TYPE ast_bool_values AS {enum};", database)
    server.sql(f"""
        CREATE TABLE ps_endpoints (id VARCHAR(255) NOT NULL, transport VARCHAR(40), aors VARCHAR(2048), auth VARCHAR(255), context VARCHAR(40),
            disallow VARCHAR(200), allow VARCHAR(200), direct_media {boolean}, disable_direct_media_on_nat {boolean}, force_rport {boolean},
            ice_support {boolean}, mailboxes VARCHAR(40), outbound_proxy VARCHAR(255), rewrite_contact {boolean}, rtp_symmetric {boolean},
            send_pai {boolean}, callerid VARCHAR(40), device_state_busy_at INTEGER, set_var TEXT, UNIQUE (id));
        CREATE INDEX ps_endpoints_id ON ps_endpoints (id);
        CREATE TABLE ps_auths (id VARCHAR(255) NOT NULL, auth_type VARCHAR(20), password VARCHAR(80), realm VARCHAR(255), username VARCHAR(40), UNIQUE (id));
        CREATE TABLE ps_aors (id VARCHAR(255) NOT NULL, contact VARCHAR(255), max_contacts INTEGER, remove_existing {boolean}, qualify_frequency INTEGER,
            UNIQUE (id));
        CREATE TABLE ps_contacts (id VARCHAR(255), uri VARCHAR(511), expiration_time BIGINT, qualify_frequency INTEGER, outbound_proxy VARCHAR(255),
            path TEXT, user_agent VARCHAR(255), qualify_timeout FLOAT, reg_server VARCHAR(255), authenticate_qualify {boolean}, via_addr VARCHAR(40),
            via_port INTEGER, call_id VARCHAR(255), endpoint VARCHAR(255), prune_on_boot {boolean}, qualify_2xx_only {boolean}, UNIQUE (id),
            UNIQUE (id, reg_server));
        """, database)


def add_phones(server: Server, database: str, phones: Iterable[str], nat_option: str | None = "no") -> None:
    """Extensions (password "pw" + extension). *nat_option*: of rewrite_contact, force_rport and rtp_symmetric; None leaves them NULL."""
    word = "NULL" if nat_option is None else f"'{nat_option}'"
    for phone in phones:
        server.sql(f"""
            INSERT INTO ps_endpoints (id, aors, auth, context, disallow, allow, direct_media, force_rport, rewrite_contact, rtp_symmetric, callerid, send_pai)
            VALUES ('{phone}', '{phone}', '{phone}', 'phones', 'all', 'ulaw', 'no', {word}, {word}, {word}, 'Büro <{phone}>', 'yes');
            INSERT INTO ps_auths (id, auth_type, password, username) VALUES ('{phone}', 'userpass', 'pw{phone}', '{phone}');
            INSERT INTO ps_aors (id, max_contacts, remove_existing) VALUES ('{phone}', 1, 'yes');
            """, database)


def configure(pbx: Asterisk, server: Server, database: str, files: str = "", sorcery: str = SORCERY) -> None:
    """Asterisk takes its endpoints from that PostgreSQL. *files*: what pjsip.conf defines beside its transport."""
    pbx.write_config([], nat_option=False)
    head = HEAD.replace("$address", "127.0.0.1").replace("$sip_port", str(pbx.sip_port)).replace("$nat", "no")
    (pbx.etc / "pjsip.conf").write_text(f"{head}\n{files}", "utf-8")
    (pbx.etc / "sorcery.conf").write_text(sorcery, "utf-8")
    tables = ("ps_endpoints", "ps_auths", "ps_aors", "ps_contacts")
    (pbx.etc / "extconfig.conf").write_text("[settings]\n" + "".join(f"{name} => pgsql,general,{name}\n" for name in tables), "utf-8")
    (pbx.etc / "res_pgsql.conf").write_text(
        f"[general]\ndbhost = {server.host}\ndbport = {server.port}\ndbname = {database}\ndbuser = {server.user}\ndbpass = {server.password}\n"
        "requirements = warn\n", "utf-8")
    modules = pbx.etc / "modules.conf"
    modules.write_text(modules.read_text("utf-8").replace(
        "autoload = no\n", "autoload = no\npreload = res_config_pgsql.so\npreload = res_sorcery_realtime.so\nload = res_sorcery_memory_cache.so\n"), "utf-8")
