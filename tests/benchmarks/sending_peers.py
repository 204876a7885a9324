"""What others do with the same sink: django-post_office and nodemailer's pool, where they can be had for the run.

Each is installed into a folder of its own that is thrown away; none of them belongs to this project.
"""

import shutil
import subprocess
import sys
from pathlib import Path

_MESSAGES = 1_000
_PATIENCE_IN_SECONDS = 240

_POST_OFFICE = """
import sys, time
import django
from django.conf import settings

folder, port, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if not settings.configured:
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder + "/db.sqlite3"}},
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        EMAIL_BACKEND="post_office.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=port,
        POST_OFFICE={"BATCH_SIZE": number, "THREADS_PER_PROCESS": 5}, USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    )
    django.setup()

if __name__ == "__main__":
    from django.core.management import call_command
    call_command("migrate", verbosity=0)
    from post_office import mail
    html = open(folder + "/body.html").read()
    began = time.monotonic()
    mail.send_many([
        {"sender": "a@crm.example", "recipients": ["p%d@example.edu" % n], "subject": "Reminder", "message": "Hello",
         "html_message": html} for n in range(number)
    ])
    mail.send_queued(processes=1, log_level=0)
    print(number / (time.monotonic() - began))
"""

_NODEMAILER = """
const [folder, port, number] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const html = require("fs").readFileSync(folder + "/body.html", "utf8");
const transport = require("nodemailer").createTransport(
  {host: "127.0.0.1", port, pool: true, maxConnections: 2, maxMessages: Infinity, ignoreTLS: true});
(async () => {
  const began = process.hrtime.bigint();
  await Promise.all([...Array(number).keys()].map(n => transport.sendMail(
    {from: "a@crm.example", to: `p${n}@example.edu`, subject: "Reminder", text: "Hello", html})));
  console.log(number / (Number(process.hrtime.bigint() - began) / 1e9));
  transport.close();
})();
"""


def post_office(folder: Path, port: int, html: str) -> float | None:
    """Messages a second of django-post_office on SQLite; None: it cannot be had here."""
    venv = folder / "post_office"
    uv = Path(sys.executable).parent / "uv"
    if not _done(str(uv), "venv", "--quiet", str(venv)):
        return None
    python = str(venv / "bin" / "python")
    if not _done(str(uv), "pip", "install", "--quiet", "--python", python, "django", "django-post_office"):
        return None
    script = folder / "post_office.py"
    script.write_text(_POST_OFFICE)
    return _measured(folder, html, [python, str(script)], port)


def nodemailer(folder: Path, port: int, html: str) -> float | None:
    """Messages a second of nodemailer's pool with two connections; None: it cannot be had here."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return None
    if not _done(npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), "nodemailer"):
        return None
    script = folder / "nodemailer.js"
    script.write_text(_NODEMAILER)
    return _measured(folder, html, [node, str(script)], port)


def _measured(folder: Path, html: str, program: list[str], port: int) -> float | None:
    (folder / "body.html").write_text(html)
    command = [*program, str(folder), str(port), str(_MESSAGES)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_IN_SECONDS, check=False)
    return float(run.stdout.split()[-1]) if run.returncode == 0 and run.stdout.split() else None


def _done(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=_PATIENCE_IN_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
