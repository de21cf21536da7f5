"""kv_engine's own Python clients against a server: connect, write, stream, delete.

    python3 peers.py CHECKOUT HOST:PORT

CHECKOUT is a checkout of kv_engine, whose engines/ep/management has the clients;
the example `peers` runs this. Nothing of theirs is here.
"""

import os
import struct
import subprocess
import sys
import time

tools = os.path.join(sys.argv[1], "engines/ep/management")
host, port = sys.argv[2].split(":")
sys.path.insert(0, tools)

import mc_bin_client  # noqa: E402
from memcacheConstants import REQ_MAGIC_BYTE  # noqa: E402


def step(text):
    print("  " + text, flush=True)


def tool(*arguments):
    """Runs one of their commands, which must succeed."""
    run = subprocess.run([sys.executable] + list(arguments), cwd=tools,
                         capture_output=True, text=True, timeout=60)
    if run.returncode != 0 or "rror" in run.stderr:
        sys.exit("%s: %s%s" % (arguments, run.stdout, run.stderr))
    return run.stdout


def connect():
    client = mc_bin_client.MemcachedClient(host, int(port))
    client.enable_xerror()
    client.enable_json()
    client.hello("peers")
    return client


def refused(error, call, *arguments):
    try:
        call(*arguments)
    except error:
        return
    sys.exit("%s was not refused with %s" % (call, error))


client = connect()
client.sasl_auth_plain("anybody", "anything")
assert "default" in client.list_buckets()
client.bucket_select("default")
client._doCmd(0x85, "peers", "ep.so")
client.bucket_select("peers")
client.vbucketId = 3
client.add("key", 0, 7, "one")
refused(mc_bin_client.ErrorKeyEexists, client.add, "key", 0, 7, "two")
client.set("key", 0, 9, "two")
flags, cas, value = client.get("key")
assert (flags, value) == (9, b"two"), (flags, value)
refused(mc_bin_client.ErrorKeyEexists, client.cas, "key", 0, 9, cas - 1, "three")
client.append("key", "+")
client.prepend("key", "-")
client.replace("key", 0, 1, "three")
assert client.incr("counter", 5, 10)[0] == 10
assert client.incr("counter", 5)[0] == 15
assert client.decr("counter", 20)[0] == 0
client.touch("key", 1000)
assert client.gat("key", 0)[2] == b"three"
client.delete("counter")
refused(mc_bin_client.ErrorKeyEnoent, client.get, "counter")
assert client.setMulti(0, 0, [("multi%d" % number, "value") for number in range(100)]) == []
found = client.getMulti(["multi%d" % number for number in range(100)])
assert len(found) == 100, len(found)
client.noop()
client.version()
client.verbose(1)
step("keys: written, read, counted, deleted, with the clients of mc_bin_client.py")

at = "%s:%s" % (host, port)
assert "vb_3" in tool("cbstats", at, "-b", "peers", "vbucket")
assert "high_seqno" in tool("cbstats", at, "-b", "peers", "vbucket-seqno", "3")
assert "num_entries" in tool("cbstats", at, "-b", "peers", "failovers", "3")
assert "curr_connections" in tool("cbstats", at, "-b", "peers", "all")
assert "active" in tool("cbvbucketctl", at, "-b", "peers", "list")
tool("cbvbucketctl", at, "-b", "peers", "set", "5", "replica", "")
assert "replica" in tool("cbvbucketctl", at, "-b", "peers", "list")
tool("cbvbucketctl", at, "-b", "peers", "rm", "5")
step("cbstats and cbvbucketctl: statistics, and vb states set and removed")

# Their clients have no call for DCP; the framing is theirs.
dcp = connect()
dcp.bucket_select("peers")
dcp._doCmd(0x50, "peers.py", "", struct.pack(">II", 0, 1))
dcp._doCmd(0x5E, "connection_buffer_size", "100000")
dcp.vbucketId = 3
request = struct.pack(">IIQQQQQ", 0, 0, 0, 2 ** 64 - 1, 0, 0, 0)
dcp._sendCmd(0x53, "", "", 77, request)
_, status, opaque, _, _, _, log = dcp._recvMsg()
assert (status, opaque) == (0, 77) and len(log) == 16, (status, log)


def receive():
    """A message of the stream; their own receiver wants responses."""
    bytes_ = b""
    while len(bytes_) < 24:
        bytes_ += dcp._socketRecv(24 - len(bytes_)) or sys.exit("the connection ended")
    magic, opcode, keys, extras, _, vb, length, opaque, _ = struct.unpack(">BBHBBHIIQ", bytes_)
    body = b""
    while len(body) < length:
        body += dcp._socketRecv(length - len(body))
    assert (magic, opaque) == (REQ_MAGIC_BYTE, 77), (magic, opaque)
    return opcode, body[:extras], body[extras:extras + keys], body[extras + keys:]


documents, high = {}, 0
while len(documents) < 101 or "counter" in documents:
    opcode, extras, key, value = receive()
    if opcode == 0x57:
        documents[key.decode()] = value
    elif opcode == 0x58:
        documents.pop(key.decode(), None)
    else:
        assert opcode == 0x56, opcode
        continue
    seqno, = struct.unpack(">Q", extras[:8])
    assert seqno > high
    high = seqno
assert documents["key"] == b"three"
client.set("late", 0, 0, "from memory")
while "late" not in documents:
    opcode, extras, key, value = receive()
    if opcode == 0x57:
        documents[key.decode()] = value
assert "producer" in tool("cbstats", at, "-b", "peers", "dcp")
step("a stream over their framing: %d documents, from disk and from memory" % len(documents))

admin = connect()
admin.bucket_select("default")
begin = time.time()
admin._doCmd(0x86, "peers", "")
took = time.time() - begin
while dcp._socketRecv(1 << 20):
    pass  # what was on its way, and then the end of the connection
refused(mc_bin_client.ErrorKeyEnoent, admin.bucket_select, "peers")
assert admin.list_buckets() == ["default"]
step("the bucket was deleted under the stream in %.0f ms" % (took * 1000))
