"""A real job, scraped by a real Prometheus: monitoring_test.py CONVOY"""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "monitoring")
DEADLINE = time.monotonic() + 240


def free_ports(count):
    """The first of `count` free ports in a row."""
    for base in range(21000, 60000, 97):
        sockets = []
        try:
            for port in range(base, base + count):
                sockets.append(socket.socket())
                sockets[-1].bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise RuntimeError("no free ports")


def write_data(path):
    with open(path, "w") as out:
        out.write("a,b,label\n")
        for i in range(4000):
            out.write(f"{i % 17},{(i * 7) % 23},{'yes' if i % 17 > (i * 7) % 23 else 'no'}\n")


class Prometheus:
    def __init__(self, folder, targets, port):
        with open(os.path.join(EXAMPLES, "prometheus.yml")) as file:
            config = file.read()
        config = config.replace("../../runs/watched/metrics_targets.json", targets)
        config = config.replace("interval: 5s", "interval: 1s")
        with open(os.path.join(EXAMPLES, "alerts.yml")) as file:
            alerts = file.read()
        with open(os.path.join(folder, "alerts.yml"), "w") as out:
            out.write(alerts.replace("for: 1m", "for: 3s"))
        with open(os.path.join(folder, "prometheus.yml"), "w") as out:
            out.write(config)
        self.address = f"127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=" + self.address],
            cwd=folder, stdout=open(os.path.join(folder, "prometheus.log"), "w"), stderr=subprocess.STDOUT)

    def get(self, path, **query):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as reply:
            answer = json.load(reply)
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression):
        return self.get("query", query=expression)["result"]

    def wait_for(self, expression, wanted):
        """Asks until the one value of the expression is as wanted."""
        result = None
        while time.monotonic() < DEADLINE and self.process.poll() is None:
            try:
                result = self.query(expression)
                if len(result) == 1 and wanted(float(result[0]["value"][1])):
                    return
            except OSError as error:  # it is still starting
                result = error
            time.sleep(0.3)
        raise AssertionError(f"{expression}: {result}")


def check(prometheus):
    prometheus.wait_for("count(up{job='convoy'} == 1)", lambda n: n == 5)
    print("ok    five processes are found and scraped")
    prometheus.wait_for("sum(rate(convoy_job_examples_total[15s]))", lambda rate: rate > 0)
    prometheus.wait_for("count(rate(convoy_worker_examples_total[15s]) > 0)", lambda n: n == 2)
    prometheus.wait_for("count(rate(convoy_server_received_bytes_total[15s]) > 0)", lambda n: n == 2)
    prometheus.wait_for("count(convoy_process_resident_memory_bytes > 1e6)", lambda n: n == 5)
    prometheus.wait_for("convoy_training_loss", lambda loss: loss > 0)
    prometheus.wait_for("convoy_job_phase", lambda phase: phase == 1)
    print("ok    the job, its workers and servers have numbers")
    for series in prometheus.query('{__name__=~"convoy_.*"}'):
        labels = set(series["metric"]) - {"__name__", "job", "instance", "convoy_job", "le"}
        assert labels == {"role", "rank"}, series
    print("ok    labels are role and rank")

    with open(os.path.join(EXAMPLES, "grafana_dashboard.json")) as file:
        dashboard = json.load(file)
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expression = target["expr"].replace("$convoy_job", ".*").replace("[30s]", "[15s]").replace("[1m]", "[15s]")
            prometheus.wait_for(f"count({expression})", lambda n: n > 0)
    print(f"ok    {len(dashboard['panels'])} panels of the dashboard have data")
    prometheus.wait_for("count(convoy:worker_busy_seconds_per_example)", lambda n: n == 2)
    for group in prometheus.get("rules")["groups"]:
        for rule in group["rules"]:
            assert rule["health"] == "ok", rule
    for alert in prometheus.get("alerts")["alerts"]:
        assert alert["state"] != "firing" or alert["labels"]["severity"] == "warning", alert
    print("ok    rules are healthy, and nothing critical is wrong")


def pid_of(run, role, rank):
    with open(os.path.join(run, "cluster.json")) as file:
        cluster = json.load(file)
    return next(process["pid"] for process in cluster["processes"] if (process["role"], process["rank"]) == (role, rank))


def check_losses(prometheus, run, training):
    def wait_until_firing(alert):
        prometheus.wait_for(f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})', lambda n: n == 1)

    os.kill(pid_of(run, "worker", 1), signal.SIGKILL)
    prometheus.wait_for("convoy_job_workers_lost_total", lambda n: n == 1)
    wait_until_firing("ConvoyWorkersLost")
    print("ok    a worker that is killed is told")
    os.kill(pid_of(run, "server", 0), signal.SIGKILL)
    prometheus.wait_for("convoy_job_restarts_total", lambda n: n == 1)
    wait_until_firing("ConvoyRestarted")
    assert not [alert for alert in prometheus.get("alerts")["alerts"] if alert["labels"]["alertname"] == "ConvoyJobFailed"]
    print("ok    a restart is told")
    training.kill()
    wait_until_firing("ConvoyJobFailed")
    print("ok    the end of a job that was killed is told")


def main(convoy):
    with tempfile.TemporaryDirectory() as folder:
        write_data(os.path.join(folder, "train.csv"))
        job, run = os.path.join(folder, "job.textproto"), os.path.join(folder, "run")
        with open(job, "w") as out:
            out.write('name: "watched" data { train: "train.csv" cache_dir: "cache" csv { label: "label" } '
                      "validation { fraction: 0.2 } }\nmodel { mlp { hidden: 16 } }\n"
                      "training { batch_size: 64 epochs: 1000000 validate_every_epochs: 50 }\ncluster { servers: 2 workers: 2 }\n")
        log = open(os.path.join(folder, "train.log"), "w+")
        ports = free_ports(6)
        command = [convoy, "train", job, "--run-dir", run, "--metrics-port", str(ports)]
        training = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        prometheus = None
        try:
            targets = os.path.join(run, "metrics_targets.json")
            while not os.path.exists(targets):
                assert training.poll() is None and time.monotonic() < DEADLINE, open(log.name).read()
                time.sleep(0.1)
            prometheus = Prometheus(folder, targets, ports + 5)
            check(prometheus)
            check_losses(prometheus, run, training)
            training.wait()
            training = subprocess.Popen(command + ["--resume=auto"], stdout=log, stderr=subprocess.STDOUT)
            prometheus.wait_for("count(up{job='convoy'} == 1)", lambda n: n == 5)
            failed = 'count(ALERTS{alertname="ConvoyJobFailed"}) or vector(0)'
            prometheus.wait_for(failed, lambda n: n == 0)
            training.send_signal(signal.SIGINT)
            training.wait()
            prometheus.wait_for("count(up{job='convoy'}) or vector(0)", lambda n: n == 0)
            time.sleep(5)  # longer than the alert waits
            prometheus.wait_for(failed, lambda n: n == 0)
            print("ok    the end of a job that was told to stop is no failure")
        except BaseException:
            sys.stderr.write(open(log.name).read()[-2000:])
            if prometheus is not None:
                sys.stderr.write(open(os.path.join(folder, "prometheus.log")).read()[-4000:])
            raise
        finally:
            training.send_signal(signal.SIGINT)
            training.wait()
            if prometheus is not None:
                prometheus.process.terminate()
                prometheus.process.wait()
    print("all passed")


main(sys.argv[1])
