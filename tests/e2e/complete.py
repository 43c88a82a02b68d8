# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""complete.py SHELL FOLDER-OF-COMPLETIONS FOLDER-OF-BINARY

Types command lines and the tab key into a real interactive shell on a pseudo-terminal, and looks at
what becomes of them. A line: what is typed, what must be shown then. One line a case; exit 1 if one
failed."""
import os
import pty
import re
import select
import signal
import sys
import termios
import time

CASES = [
    ("a subcommand", "reconmon repl", "reconmon replay"),
    ("an option", "reconmon --ingr", "reconmon --ingress="),
    ("an option's words", "reconmon --ingress=xdp-", "reconmon --ingress=xdp-generic"),
    ("... with a blank", "reconmon --profile spl", "reconmon --profile splunk"),
    ("an interface", "reconmon -i l", "reconmon -i lo"),
    ("a rule's field", "reconmon --set slow-scan.thre", "reconmon --set slow-scan.threshold="),
    ("a table", "reconmon --limit=att", "reconmon --limit=attempts="),
    ("an output", "reconmon --output journ", "reconmon --output journald"),
    ("an output's file", "reconmon --output file:/etc/os-rel",
     "reconmon --output file:/etc/os-release"),
    ("a configuration file", "reconmon -c /etc/os-rel", "reconmon -c /etc/os-release"),
    ("a capture", "reconmon replay /etc/os-rel", "reconmon replay /etc/os-release"),
    ("what a report is made of", "reconmon report -o /etc/os-rel", "reconmon report -o /etc/os-release"),
    ("an option of a subcommand", "reconmon replay --fail", "reconmon replay --fail-on-alert"),
    ("flags of this host", "reconmon check --no-h", "reconmon check --no-habits"),
]
ANSI = re.compile(r"\x1b(\[[0-9;?]*[a-zA-Z]|[=>])")


class Terminal:
    def __init__(self, argv, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, env)
        self.seen = ""

    def type(self, text):
        self.seen = ""
        os.write(self.fd, text.encode())

    def shows(self, pattern, seconds=10):
        """Waits until the pattern is on the screen, whatever the shell draws around it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if re.search(pattern, ANSI.sub("", self.seen).replace("\r", "").replace("\x08", "")):
                return True
            if select.select([self.fd], [], [], 0.1)[0]:
                self.seen += os.read(self.fd, 4096).decode(errors="replace")
        return False

    def prompts(self):
        """Waits for the line editor: what is typed before it is there gets lost."""
        end = time.monotonic() + 10
        self.shows(r"> $")
        while termios.tcgetattr(self.fd)[3] & termios.ICANON and time.monotonic() < end:
            time.sleep(0.01)

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def main():
    shell, completions, binary = sys.argv[1:]
    env = dict(os.environ, PATH=f"{binary}:{os.environ['PATH']}", TERM="dumb", HISTFILE="",
               PS1="> ", COLUMNS="200", LINES="50")
    if shell == "bash":
        term = Terminal(["bash", "--norc", "--noprofile", "-i"], env)
        start = f"bind 'set bell-style none'; . {completions}/reconmon.bash; echo beg''un\n"
    else:
        term = Terminal(["zsh", "-f", "-i"], env)
        start = ("unsetopt zle_bracketed_paste beep; PS1='> '; "
                 f"fpath=({completions} $fpath); autoload -Uz compinit; compinit -D -u; "
                 "echo beg''un\n")
    bad = 0
    term.prompts()
    term.type(start)
    if not term.shows("\nbegun\n", 20):
        print(f"FAILED  {shell} does not start: {term.seen!r}")
        return 1
    for name, typed, want in CASES:
        # The line is completed, and printed by the shell itself. (zsh takes a '=' away that nothing
        # follows.)
        term.prompts()
        term.type(f"{typed}\t\x01echo GOT:\n")
        if term.shows(f"\nGOT:{re.escape(want.rstrip('='))}=?\n"):
            print(f"ok      {shell}: {name}")
        else:
            print(f"FAILED  {shell}: {name}: '{want}' wanted, got {term.seen!r}")
            bad = 1
            term.type("\x03")
    term.close()
    return bad


sys.exit(main())
