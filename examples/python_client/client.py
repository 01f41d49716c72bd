#!/usr/bin/python3
"""A Convoy worker in Python: linear regression by gradient descent.

Everything it says is in proto/*.proto and explained in docs/protocol.md. It needs protoc, and of
Python nothing but Debian's python3-grpcio and python3-protobuf.

    client.py --coordinator HOST:PORT
"""

import argparse
import glob
import importlib
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time

import grpc

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OK, UNAVAILABLE = 0, 14


def load_messages(root):
    """The message classes that protoc makes of the .proto files: (coordinator, parameter_server)."""
    with tempfile.TemporaryDirectory() as folder:
        contracts = sorted(glob.glob(os.path.join(root, "proto", "*.proto")))
        subprocess.run(["protoc", "-I", root, "--python_out", folder] + contracts, check=True)
        sys.path.insert(0, folder)
        try:
            return (importlib.import_module("proto.coordinator_pb2"),
                    importlib.import_module("proto.parameter_server_pb2"))
        finally:
            sys.path.remove(folder)


def connect(address):
    """A channel that does not go through a proxy and takes messages of any size."""
    return grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0),
                                                   ("grpc.max_receive_message_length", -1)])


class Coordinator:
    """The calls of convoy.v1.Coordinator, in the name of this worker."""

    def __init__(self, messages, address):
        self.messages = messages
        channel = connect(address)
        replies = {"Register": "RegisterReply", "Ready": "Assignment", "Heartbeat": "HeartbeatReply",
                   "NextTask": "NextTaskReply", "Report": "ReportReply"}
        self.methods = {
            method: channel.unary_unary(
                "/convoy.v1.Coordinator/" + method,
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=getattr(messages, reply).FromString)
            for method, reply in replies.items()}
        self.identity = None

    def call(self, method, request):
        if self.identity is not None:
            request.identity.CopyFrom(self.identity)
        return self.methods[method](request, timeout=60, wait_for_ready=True)

    def register(self):
        # No build_id: this is not a Convoy program.
        reply = self.call("Register", self.messages.RegisterRequest(
            role=self.messages.WORKER, wanted_rank=-1, pid=os.getpid(), host=socket.gethostname(),
            nonce=int.from_bytes(os.urandom(8), "little") | 1))
        self.identity = reply.identity
        return reply.job

    def ready(self, variables, data):
        while True:
            assignment = self.call("Ready", self.messages.ReadyRequest(
                variables=variables, data=data, wait_ms=2000))
            if assignment.generation != 0:
                self.identity.generation = assignment.generation
                return assignment


class Session:
    """Heartbeats in a thread of their own; knows whether the job still runs and when it stops."""

    def __init__(self, coordinator, period_ms, sync):
        self.coordinator = coordinator
        self.period_ms = period_ms
        self.sync = sync
        self.changed = threading.Condition()
        self.step = self.stop_step = 0
        self.stop_agreed = self.finished = self.done = False
        self.failure = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        seen = 0
        try:
            while not self.done and self.failure is None:
                with self.changed:
                    request = self.coordinator.messages.HeartbeatRequest(
                        step=self.step, activity="training", wait_ms=self.period_ms, seen=seen,
                        stop_confirmed=self.stop_step, finished=self.finished)
                reply = self.coordinator.call("Heartbeat", request)
                seen = reply.sequence
                self.take(reply)
        except grpc.RpcError as error:
            with self.changed:
                self.failure = f"the coordinator: {error.details()}"
                self.changed.notify_all()

    def take(self, reply):
        messages = self.coordinator.messages
        with self.changed:
            self.done = reply.phase == messages.DONE
            if reply.phase == messages.FAILED:
                self.failure = reply.failure
            # sync: a step that has begun can't be taken back; then the coordinator proposes another.
            possible = reply.stop_step > self.step if self.sync else reply.stop_step > 0
            if possible and not self.stop_agreed:
                self.stop_step = reply.stop_step
            self.stop_agreed = reply.stop_agreed and reply.stop_step == self.stop_step
            self.changed.notify_all()

    def check(self):
        if self.failure is not None:
            raise RuntimeError(self.failure)

    def begin(self, step):
        """False: the job stops and the step must not be begun."""
        with self.changed:
            if self.sync:
                self.changed.wait_for(lambda: self.failure is not None or self.stop_agreed
                                      or self.stop_step == 0 or step < self.stop_step)
            self.check()
            if self.stop_step != 0 and (step >= self.stop_step or not self.sync):
                return False
            self.step = step
            return True

    def finish(self):
        """Says that all steps are taken and waits for the end of the job."""
        with self.changed:
            self.finished = True
            self.changed.wait_for(lambda: self.done or self.failure is not None)
            self.check()


class Server:
    """The Exchange stream to one parameter server."""

    def __init__(self, messages, address, worker, assignment_generation):
        self.messages = messages
        self.channel = connect(address)
        self.layout = self.get_layout()
        self.header = dict(job_id=self.layout.job_id, generation=assignment_generation,
                           worker=worker, session=1)
        self.requests = queue.SimpleQueue()
        self.replies = self.channel.stream_stream(
            "/convoy.v1.ParameterServer/Exchange",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=messages.ExchangeReply.FromString)(iter(self.requests.get, None))
        self.next_request = 1
        self.unanswered = {}

    def get_layout(self):
        call = self.channel.unary_unary(
            "/convoy.v1.ParameterServer/GetLayout",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=self.messages.GetLayoutReply.FromString)
        for _ in range(200):
            try:
                return call(self.messages.GetLayoutRequest(), timeout=10, wait_for_ready=True)
            except grpc.RpcError as error:
                # The server has not been told its part of the job yet.
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                time.sleep(0.05)
        raise RuntimeError("a server has not got its part of the job for 10 s")

    def send(self, **fields):
        request = self.messages.ExchangeRequest(request_id=self.next_request, **self.header, **fields)
        self.next_request += 1
        self.unanswered[request.request_id] = request
        self.requests.put(request)

    def wait(self):
        """The cells in the replies to everything that was sent."""
        cells = []
        while self.unanswered:
            reply = next(self.replies)
            request = self.unanswered[reply.request_id]
            if reply.retry_later or reply.code == UNAVAILABLE:
                time.sleep(0.005)
                self.requests.put(request)
            elif reply.code != OK:
                raise RuntimeError(f"a server refused request {reply.request_id}: {reply.message}")
            else:
                del self.unanswered[reply.request_id]
                cells.extend(reply.cells)
        return cells

    def close(self):
        self.requests.put(None)
        self.channel.close()


class Parameters:
    """The variables of the model, spread over the servers. Requests go to all servers."""

    def __init__(self, messages, assignment, worker):
        self.messages = messages
        self.servers = [Server(messages, address, worker, assignment.generation)
                        for address in assignment.servers]
        self.values = {v.name: [0.0] * count(v.shape) for v in assignment.variables}
        self.versions = {}

    def pull(self, version):
        for server in self.servers:
            server.send(pull_cells=[cell.id for cell in server.layout.cells], pull_version=version,
                        pull_applied=True)
        self.take()

    def push(self, gradient, pull, **fields):
        """Pushes a gradient {name: values}, {} for none; `pull`: and gets all new values back."""
        for server in self.servers:
            if pull:
                fields["pull_cells"] = [cell.id for cell in server.layout.cells]
            contributions = [
                self.messages.Contribution(
                    cell=cell.id, base_version=self.versions[cell.id],
                    values=gradient[cell.variable][cell.offset:cell.offset + cell.size])
                for cell in server.layout.cells if gradient]
            # Every server gets a final message, also one that holds nothing.
            server.send(contributions=contributions, final=True, **fields)
        if pull:
            self.take()

    def take(self):
        for server in self.servers:
            layout = {cell.id: cell for cell in server.layout.cells}
            for values in server.wait():
                cell = layout[values.cell]
                self.values[cell.variable][cell.offset:cell.offset + cell.size] = values.values
                self.versions[values.cell] = values.version

    def close(self):
        for server in self.servers:
            server.close()


def count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def read_libsvm(path):
    """[(features, label)] of a small, dense libsvm file."""
    examples = []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            label, *features = line.split()
            examples.append(([float(feature.split(":")[1]) for feature in features], float(label)))
    return examples


class LinearRegression:
    """Half the squared error. Names and shapes are those of Convoy's own linear_regression."""

    def __init__(self, messages, features):
        self.features = features
        self.variables = [messages.Variable(name="head/weight", shape=[features, 1]),
                          messages.Variable(name="head/bias", shape=[1])]

    def gradient(self, values, examples, sums):
        """Summed over the examples; {} if there are none. Adds what was measured to `sums`."""
        if not examples:
            return {}
        weight, bias = [0.0] * self.features, 0.0
        for x, y in examples:
            error = sum(w * v for w, v in zip(values["head/weight"], x)) + values["head/bias"][0] - y
            weight = [g + error * v for g, v in zip(weight, x)]
            bias += error
            sums.loss += 0.5 * error * error
            sums.squared_error += error * error
        sums.examples += len(examples)
        return {"head/weight": weight, "head/bias": [bias]}


class Worker:
    def __init__(self, coordinator, session, assignment, parameters, model, examples):
        self.coordinator = coordinator
        self.messages = coordinator.messages
        self.session = session
        self.assignment = assignment
        self.training = assignment.job.training
        self.parameters = parameters
        self.model = model
        self.examples = examples

    def report(self, part, begin, end, sums):
        self.coordinator.call("Report", self.messages.ReportRequest(
            kind=self.messages.ReportRequest.TRAIN, part=part, step_begin=begin, step_end=end,
            sums=sums))

    def train_sync(self):
        """Step t: the gradient of each own slice of global batch t, then exactly version t + 1."""
        n, batch_size = len(self.examples), self.training.batch_size
        per_epoch = -(-n // batch_size)
        steps = per_epoch * self.training.epochs
        if self.training.max_steps:
            steps = min(steps, self.training.max_steps)
        slices = range(self.assignment.slice_begin, self.assignment.slice_end)
        if not slices:
            return  # a spare worker
        sums = {s: self.messages.MetricSums() for s in slices}
        reported = step = 0
        self.parameters.pull(0)
        while step < steps and self.session.begin(step):
            begin = step % per_epoch * batch_size
            batch = self.examples[begin:begin + batch_size]
            for s in slices:
                own = batch[s * len(batch) // self.assignment.slices:
                            (s + 1) * len(batch) // self.assignment.slices]
                gradient = self.model.gradient(self.parameters.values, own, sums[s])
                last = s == slices[-1]
                wanted = dict(pull_version=step + 1, pull_applied=True) if last else {}
                self.parameters.push(gradient, last, step=step, tree_index=s, examples=len(own),
                                     **wanted)
            step += 1
            in_epoch = step % per_epoch
            if in_epoch == 0 or in_epoch % self.training.report_every_steps == 0:
                reported = self.report_slices(reported, step, sums)
        if step > reported:
            self.report_slices(reported, step, sums)

    def report_slices(self, begin, end, sums):
        for s in sums:
            self.report(s, begin, end, sums[s])
            sums[s] = self.messages.MetricSums()
        return end

    def train_async(self):
        """Data tasks as the coordinator hands them out, batch by batch on the newest values."""
        slices = self.assignment.slices
        size = -(-self.training.batch_size // slices)
        completed = batches = 0
        while True:
            reply = self.coordinator.call("NextTask", self.messages.NextTaskRequest(
                completed=completed, wait_ms=1000))
            if reply.end:
                return
            if not reply.HasField("task"):
                continue
            task, sums = reply.task, self.messages.MetricSums()
            if not self.parameters.versions:
                self.parameters.pull(0)
            for batch, begin in enumerate(range(task.begin, task.end, size)):
                if not self.session.begin(batches):
                    return
                own = self.examples[begin:min(begin + size, task.end)]
                gradient = self.model.gradient(self.parameters.values, own, sums)
                self.parameters.push(gradient, True, task=task.id, batch=batch, examples=len(own),
                                     completed_task=completed)
                batches += 1
            self.report(task.id, task.epoch, task.epoch, sums)
            completed = task.id


def check_job(job):
    if job.training.mode not in ("sync", "async"):
        raise RuntimeError(f"training.mode: this client knows sync and async, not {job.training.mode}")
    measures = job.data.HasField("validation") or job.data.HasField("test") or job.data.HasField("old")
    if job.data.shuffle or measures or job.data.format != job.data.LIBSVM:
        raise RuntimeError("data: this client wants a libsvm file, shuffle: false, no validation, test and old data")
    if not job.model.HasField("linear_regression"):
        raise RuntimeError("model: this client knows linear_regression only")


def train(address, root):
    coordinator_messages, server_messages = load_messages(root)
    coordinator = Coordinator(coordinator_messages, address)
    job = coordinator.register()
    sync = job.training.mode == "sync"
    session = Session(coordinator, job.cluster.heartbeat_ms, sync)
    try:
        check_job(job)
        examples = read_libsvm(job.data.train)
        features = len(examples[0][0])
        model = LinearRegression(coordinator_messages, features)
        assignment = coordinator.ready(model.variables, coordinator_messages.DataSummary(
            examples=len(examples), features=features))
        parameters = Parameters(server_messages, assignment, coordinator.identity.rank)
        worker = Worker(coordinator, session, assignment, parameters, model, examples)
        worker.train_sync() if sync else worker.train_async()
    except Exception as error:
        # The job fails with this reason instead of missing this worker.
        coordinator.call("Heartbeat", coordinator_messages.HeartbeatRequest(failure=str(error)))
        raise
    print("weights:", {name: list(values) for name, values in parameters.values.items()})
    session.finish()
    parameters.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--coordinator", required=True, help="HOST:PORT of convoy coordinator")
    parser.add_argument("--root", default=ROOT, help="folder that holds proto/ (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        train(arguments.coordinator, arguments.root)
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
    except (RuntimeError, OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
