#!/usr/bin/env python3
"""Trains one job in every mode, without and with a straggler, and draws the curves of docs/modes.md.

    tests/benchmarks/mode_curves.py build/release/launcher/convoy examples/fashion_mnist/job.textproto \\
        --out docs/images

The straggler is real: the process of a worker is stopped and continued (SIGSTOP, SIGCONT), so that it gets a third of
the time. `constant`: worker 1, all the time; `passing`: any worker, a tenth of the time, in stretches of 0.3 s.
Prints a Markdown table and writes modes-SCENARIO.svg. Needs nothing but Python.
"""
import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

MODES = ["single", "sync", "sync,backup=1", "local_sgd:16", "ssp:3", "async", "async,scale_by_staleness", "geo:16"]
SCENARIOS = ["none", "constant", "passing"]
COLORS = ["#222222", "#1f77b4", "#17becf", "#9467bd", "#2ca02c", "#d62728", "#ff7f0e", "#8c564b"]
SLICE = 0.03       # seconds of one stop-and-go; stopped for two thirds of it
STRETCH = 0.3      # seconds for which a passing straggler is one


def worker_pids(run_dir):
    try:
        with open(os.path.join(run_dir, "cluster.json")) as file:
            return [p["pid"] for p in json.load(file)["processes"] if p["role"] == "worker"]
    except (OSError, ValueError):
        return []


def signal_quietly(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def slow_down(process, run_dir, scenario, rng):
    """Until the process ends, stops its workers as the scenario says."""
    slow, until = [], 0.0
    while process.poll() is None:
        pids = worker_pids(run_dir)
        now = time.monotonic()
        if scenario == "constant":
            slow = pids[1:2]
        elif scenario == "passing" and now >= until:
            slow = [pid for pid in pids if rng.random() < 0.1]
            until = now + STRETCH
        for pid in slow:
            signal_quietly(pid, signal.SIGSTOP)
        time.sleep(SLICE * 2 / 3)
        for pid in slow:
            signal_quietly(pid, signal.SIGCONT)
        time.sleep(SLICE / 3)


def run(args, mode, scenario, seed):
    folder = tempfile.mkdtemp(prefix="convoy-modes-")
    run_dir = os.path.join(folder, "run")
    command = [args.convoy, "train", args.job, "--mode", mode, "--servers", "1", "--workers", str(args.workers),
               "--run-dir", run_dir, "--set", f"seed={seed}", "--set", f"training.epochs={args.epochs}"]
    with open(os.path.join(folder, "output"), "w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        if scenario == "none" or mode == "single":
            process.wait()
        else:
            slow_down(process, run_dir, scenario, random.Random(seed))
        if process.returncode != 0:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{output.read()}")
    with open(os.path.join(run_dir, "events.jsonl")) as file:
        events = [json.loads(line) for line in file]
    with open(os.path.join(run_dir, "summary.json")) as file:
        summary = json.load(file)
    shutil.rmtree(folder)
    curve = [(e["time"], e["accuracy"]) for e in events if e["kind"] == "validation"]
    return {"curve": curve, "speed": summary["examples_per_second"], "accuracy": summary["validation"]["accuracy"],
            "seconds": summary["wall_seconds"], "staleness": summary["staleness"]["mean"],
            "dropped": summary.get("dropped_gradients", 0)}


def draw(curves, title, path):
    """An SVG of accuracy over seconds. `curves`: mode -> [(seconds, accuracy)]."""
    width, height, left, bottom, right, top = 760, 420, 60, 50, 200, 40
    longest = max(x for curve in curves.values() for x, _ in curve)
    low = min(y for curve in curves.values() for _, y in curve)
    high = max(y for curve in curves.values() for _, y in curve)
    low, high = low - 0.1 * (high - low), high + 0.1 * (high - low)
    px = lambda x: left + x / longest * (width - left - right)
    py = lambda y: height - bottom - (y - low) / (high - low) * (height - bottom - top)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
             f'font-size="12"><rect width="{width}" height="{height}" fill="white"/>',
             f'<text x="{left}" y="22" font-size="15">{title}</text>']
    for i in range(6):
        y, x = low + (high - low) * i / 5, longest * i / 5
        parts.append(f'<line x1="{left}" x2="{width - right}" y1="{py(y):.1f}" y2="{py(y):.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{py(y) + 4:.1f}" text-anchor="end">{y:.3f}</text>')
        parts.append(f'<text x="{px(x):.1f}" y="{height - bottom + 18}" text-anchor="middle">{x:.1f}</text>')
    parts.append(f'<text x="{(left + width - right) / 2}" y="{height - 10}" text-anchor="middle">seconds</text>')
    for i, (mode, curve) in enumerate(curves.items()):
        color = COLORS[MODES.index(mode)]
        points = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in curve)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="2.5" fill="{color}"/>' for x, y in curve]
        parts.append(f'<rect x="{width - right + 15}" y="{top + 22 * i}" width="14" height="4" fill="{color}"/>')
        parts.append(f'<text x="{width - right + 35}" y="{top + 22 * i + 7}">{mode}</text>')
    with open(path, "w") as file:
        file.write("\n".join(parts) + "\n</svg>\n")


def seconds_to(curve, target):
    return next((f"{x:.1f}" for x, y in curve if y >= target), "-")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("convoy")
    parser.add_argument("job")
    parser.add_argument("--out", default=".")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--target", type=float, default=0.87)
    args = parser.parse_args()
    for scenario in SCENARIOS:
        runs = {mode: [] for mode in MODES if scenario == "none" or mode != "single"}
        for seed in range(1, args.seeds + 1):      # in turns, so that the machine's moods meet all modes
            for mode in runs:
                runs[mode].append(run(args, mode, scenario, seed))
        print(f"\n| straggler: {scenario} | examples/s | s to {args.target} | accuracy (spread) | staleness | dropped |")
        print("| --- | --- | --- | --- | --- | --- |")
        for mode, results in runs.items():
            middle = sorted(results, key=lambda r: r["speed"])[len(results) // 2]
            accuracies = [r["accuracy"] for r in results]
            print(f"| `{mode}` | {middle['speed']:,.0f} | {seconds_to(middle['curve'], args.target)} | "
                  f"{statistics.mean(accuracies):.4f} ({max(accuracies) - min(accuracies):.4f}) | "
                  f"{middle['staleness']:.2f} | {middle['dropped']} |", flush=True)
            runs[mode] = middle["curve"]
        draw(runs, f"Validation accuracy, straggler: {scenario}", os.path.join(args.out, f"modes-{scenario}.svg"))


if __name__ == "__main__":
    main()
