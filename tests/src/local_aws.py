"""Serves a local AWS until its standard input ends.

usage: local_aws.py DIRECTORY

It listens on a free port of the loopback interface, with TLS and with IAM enforced, and writes one
line to standard output when it is ready: the port. The certificate to trust is DIRECTORY/ca.pem.

Whoever starts it keeps a pipe to its standard input. However that process ends, the pipe closes,
and this process goes together with all the functions it started: they share a process group.
"""

import asyncio
import datetime
import ipaddress
import os
import pathlib
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = "127.0.0.1"


def end_with_standard_input():
    os.setpgid(0, 0)

    def wait():
        while os.read(0, 4096):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def write_certificates(directory):
    """A certificate authority of one certificate, both good for as long as a test may take."""
    now = datetime.datetime.now(datetime.timezone.utc)
    pem = serialization.Encoding.PEM

    def certificate(name, key):
        def named(common_name):
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])

        return (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("inlet tests"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
        )

    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = (
        certificate("inlet tests", authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    address = x509.IPAddress(ipaddress.ip_address(LOOPBACK))
    server = (
        certificate(LOOPBACK, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    (directory / "ca.pem").write_bytes(authority.public_bytes(pem))
    (directory / "server.pem").write_bytes(server.public_bytes(pem))
    (directory / "server.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def configure(directory, port):
    """MiniStack reads all of this when it is imported; its functions inherit it."""
    temporary = directory / "tmp"
    temporary.mkdir(exist_ok=True)
    os.environ.pop("SSL_CERT_DIR", None)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.update(
        AUTH="true",
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_CA_BUNDLE=str(directory / "ca.pem"),
        # Functions call it here.
        AWS_ENDPOINT_URL=f"https://{LOOPBACK}:{port}",
        GATEWAY_PORT=str(port),
        # It would open fixed ports for these.
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        MINISTACK_HOST=LOOPBACK,
        SSL_CERT_FILE=str(directory / "ca.pem"),
        STATE_DIR=str(directory),
        TMPDIR=str(temporary),
        # The stack's policies refuse what comes without TLS.
        USE_SSL="1",
        MINISTACK_SSL_CERT=str(directory / "server.pem"),
        MINISTACK_SSL_KEY=str(directory / "server.key"),
    )


def report_when_ready(report, directory, port):
    context = ssl.create_default_context(cafile=directory / "ca.pem")

    def wait():
        while True:
            try:
                url = f"https://{LOOPBACK}:{port}/_ministack/health"
                with urllib.request.urlopen(url, context=context, timeout=5):
                    break
            except OSError:
                time.sleep(0.05)
        print(port, file=report, flush=True)

    threading.Thread(target=wait, daemon=True).start()


def main():
    end_with_standard_input()
    directory = pathlib.Path(sys.argv[1]).resolve()
    # Standard output is for the port alone: whatever else prints goes to the log.
    report = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    listener = socket.create_server((LOOPBACK, 0))
    port = listener.getsockname()[1]
    write_certificates(directory)
    configure(directory, port)

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.certfile = str(directory / "server.pem")
    config.keyfile = str(directory / "server.key")
    config.keep_alive_timeout = 75
    report_when_ready(report, directory, port)
    asyncio.run(serve(app, config))


main()
