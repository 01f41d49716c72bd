"""MLP 784-128-10 on Fashion-MNIST with PyTorch's DistributedDataParallel over gloo, two processes of one thread.

torch_ddp.py BATCH_PER_PROCESS EPOCHS    prints "samples/s N" for both processes together.
"""
import gzip
import os
import sys
import time

import torch
import torch.distributed
import torch.multiprocessing

FOLDER = "/usr/share/datasets/fashion-mnist/"
PROCESSES = 2


def load():
    with gzip.open(FOLDER + "train-images-idx3-ubyte.gz") as file:
        images = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8, offset=16)
    with gzip.open(FOLDER + "train-labels-idx1-ubyte.gz") as file:
        labels = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8, offset=8)
    return images.reshape(-1, 784).float() / 255, labels.long()


def train(rank, batch, epochs):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=PROCESSES)
    torch.manual_seed(1)
    images, labels = load()
    order = torch.randperm(len(labels))[rank::PROCESSES]
    images, labels = images[order], labels[order]   # batches lie side by side, as in the plain loop
    model = torch.nn.parallel.DistributedDataParallel(
        torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    loss_of = torch.nn.CrossEntropyLoss()

    torch.distributed.barrier()
    start = time.time()
    for _ in range(epochs):
        for begin in range(0, len(labels) - batch + 1, batch):
            optimizer.zero_grad(set_to_none=True)
            loss_of(model(images[begin:begin + batch]), labels[begin:begin + batch]).backward()
            optimizer.step()
    torch.distributed.barrier()
    if rank == 0:
        print("samples/s", PROCESSES * epochs * (len(labels) // batch) * batch / (time.time() - start))


if __name__ == "__main__":
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(20000 + os.getpid() % 20000),
                      OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    torch.multiprocessing.spawn(train, args=(int(sys.argv[1]), int(sys.argv[2])), nprocs=PROCESSES)
