#!/usr/bin/env python3
"""CSV to JSON Lines: `inlet read` beside DuckDB and Polars, by CPU time.

    cargo build --release -p inlet-cli
    python3 tests/bench/csv_to_ndjson.py [--megabytes 130] [--rounds 5] [--inlet PATH]

Makes a clean table of five columns (id, name, email, decimal, date), and has each of the three turn it
into a file of JSON lines, in turns, in a process of its own. What counts is the CPU time of the process, user and
system, of all its threads; of it is taken what the same process needs for a file with a header and one
row, which is its start-up. The figure is the median of the rounds. Each output is checked against
the number of rows, and all are compared with one another on a small file.

DuckDB and Polars are installed in the versions of requirements.txt, in an environment under
target/. Each reads as it does by default, types inferred; `text` is the same with all columns left as
text, which is what `inlet read` does without a source.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
NEEDED = {"duckdb": 4.0, "polars": 3.0}

NAMES = [
    "Ada Lovelace", "Alan Turing", "Grace Hopper", "Edsger Dijkstra",
    "Barbara Liskov", "Tony Hoare", "José Martínez", "Niklaus Wirth",
]

DUCKDB = """
import duckdb, sys
source, out, text = sys.argv[1:]
options = ", all_varchar = true" if text == "text" else ""
duckdb.sql(f"COPY (SELECT * FROM read_csv('{source}'{options})) TO '{out}' (FORMAT json)")
"""

# The streaming engine, which is what Polars advises for files of any size.
POLARS = """
import polars, sys
source, out, text = sys.argv[1:]
options = {"infer_schema": False} if text == "text" else {"try_parse_dates": True}
polars.scan_csv(source, **options).sink_ndjson(out)
"""

POLARS_EAGER = """
import polars, sys
source, out, text = sys.argv[1:]
options = {"infer_schema": False} if text == "text" else {"try_parse_dates": True}
polars.read_csv(source, **options).write_ndjson(out)
"""


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--megabytes", type=int, default=130)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--inlet", type=Path, default=TARGET / "release" / "inlet")
    arguments = arguments.parse_args()
    if not arguments.inlet.exists():
        sys.exit(f"{arguments.inlet} is not there: cargo build --release -p inlet-cli")

    python = environment()
    work = TARGET / "bench"
    work.mkdir(parents=True, exist_ok=True)
    table = work / f"table-{arguments.megabytes}.csv"
    rows = generate(table, arguments.megabytes * 1_000_000)
    header = work / "start-up.csv"
    header.write_text("".join(table.open(encoding="utf-8").readlines(400)[:2]), encoding="utf-8")
    megabytes = table.stat().st_size / 1e6

    def with_python(code, text):
        return lambda source, out: [python, "-c", code, str(source), str(out), text]

    contestants = {"inlet": lambda source, out: [str(arguments.inlet), "read", str(source)]}
    for text in ("typed", "text"):
        contestants[f"duckdb {text}"] = with_python(DUCKDB, text)
        contestants[f"polars {text}"] = with_python(POLARS, text)
        contestants[f"polars eager {text}"] = with_python(POLARS_EAGER, text)

    same_values(contestants, work)
    times = {name: [] for name in contestants}
    for round_number in range(arguments.rounds):
        for name, command in contestants.items():
            start_up = min(run(command, header, work / "out.ndjson")[0] for _ in range(3))
            cpu, wall = run(command, table, work / "out.ndjson")
            lines = count_lines(work / "out.ndjson")
            if lines != rows:
                sys.exit(f"{name} wrote {lines} of {rows} rows")
            times[name].append((cpu - start_up, start_up, wall))
            print(f"round {round_number + 1}, {name}: {cpu:.2f} s of CPU, {start_up:.2f} s of it start-up",
                  file=sys.stderr)

    median = {name: statistics.median(t[0] for t in found) for name, found in times.items()}
    print(f"\n{megabytes:.0f} MB, {rows} rows, medians of {arguments.rounds}; {versions(python)}\n")
    print(f"{'':22} {'CPU s':>8} {'start-up':>9} {'wall s':>8} {'MB per CPU s':>13} {'inlet is':>9}")
    for name, seconds in median.items():
        start_up = statistics.median(t[1] for t in times[name])
        wall = statistics.median(t[2] for t in times[name])
        ratio = seconds / median["inlet"]
        print(f"{name:22} {seconds:8.2f} {start_up:9.2f} {wall:8.2f} {megabytes / seconds:13.0f} {ratio:8.2f}x")

    print()
    short = False
    for rival, needed in NEEDED.items():
        best = min(seconds for name, seconds in median.items() if name.startswith(rival))
        ratio = best / median["inlet"]
        short |= ratio < needed
        print(f"{rival} at its best: {ratio:.2f}x, needed {needed:.0f}x: {'ok' if ratio >= needed else 'SHORT'}")
    sys.exit(1 if short else 0)


def environment():
    """Python with the requirements, made once for each version of them."""
    wanted = (HERE / "requirements.txt").read_text(encoding="utf-8")
    directory = TARGET / "bench-venv"
    python = directory / "bin" / "python"
    stamp = directory / "requirements.txt"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(directory, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return str(python)


def versions(python):
    code = "import duckdb, polars; print('DuckDB', duckdb.__version__ + ', Polars', polars.__version__)"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def generate(path, size):
    """Writes the table, the same each time, and answers its number of rows."""
    noted = path.with_suffix(".rows")
    if path.exists() and noted.exists():
        return int(noted.read_text(encoding="utf-8"))
    draw = random.Random(1)
    written = rows = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write("id,name,email,amount,closed\n")
        while written < size:
            lines = []
            for _ in range(10_000):
                rows += 1
                n = draw.getrandbits(40)
                lines.append(
                    f"D-{rows:07},{NAMES[n % 8]},user{n % 100_000}@example.com,{n % 1_000_000}.{n % 100:02},"
                    f"20{10 + n % 20:02}-{1 + n % 12:02}-{1 + n % 28:02}\n"
                )
            text = "".join(lines)
            out.write(text)
            written += len(text.encode())
    noted.write_text(str(rows), encoding="utf-8")
    return rows


def run(command, source, out):
    """CPU seconds of the process with all its threads, and seconds of the clock."""
    arguments = command(source, out)
    begin = time.monotonic()
    # inlet writes to its output, into the same kind of file that the others write by themselves.
    with out.open("wb") as output:
        child = subprocess.Popen(arguments, stdout=output)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{arguments} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begin


def count_lines(path):
    with path.open("rb") as lines:
        return sum(piece.count(b"\n") for piece in iter(lambda: lines.read(1 << 20), b""))


def same_values(contestants, work):
    """All contestants do the same: their rows as text are the same, on a small table."""
    small = work / "small.csv"
    generate(small, 100_000)
    expected = None
    for name, command in contestants.items():
        if name != "inlet" and "text" not in name:
            continue
        out = work / "small.ndjson"
        run(command, small, out)
        rows = sorted((json.loads(line) for line in out.open(encoding="utf-8")), key=lambda row: row["id"])
        expected = expected or rows
        if rows != expected:
            sys.exit(f"{name} gives other rows than inlet")


if __name__ == "__main__":
    main()
