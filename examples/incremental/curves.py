#!/usr/bin/env python3
"""Draws what runs know of new and of old data after every epoch, from their events.jsonl.

    examples/incremental/curves.py --out curves.png runs/none="no guard" runs/replay="replay 0.2"

Needs the Debian package python3-matplotlib.
"""
import argparse
import json
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PANELS = (("validation_old", "old data"), ("validation", "new data"))


def read_curve(run, kind):
    """Pairs of epoch and accuracy. What a run did after the step from which it later went on did not happen."""
    points = {}  # step -> (epoch, accuracy)
    for line in (pathlib.Path(run) / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["kind"] == "resume":
            points = {step: point for step, point in points.items() if step <= event["step"]}
        elif event["kind"] == kind:
            points[event["step"]] = (event["epoch"], event["accuracy"])
    return [point for _, point in sorted(points.items())]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN_DIR=TITLE")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
    for number, run in enumerate(arguments.runs):
        folder, _, title = run.partition("=")
        for axis, (kind, _) in zip(axes, PANELS):
            epochs, accuracies = zip(*read_curve(folder, kind))
            axis.plot(epochs, accuracies, marker="os^Dv"[number % 5], markersize=5, label=title or folder)
    for axis, (_, title) in zip(axes, PANELS):
        axis.set_title(title)
        axis.set_xlabel("epochs of the new data")
        axis.set_ylim(-0.03, 1.03)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("accuracy on the test file")
    axes[1].legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(arguments.out, dpi=110)


if __name__ == "__main__":
    main()
