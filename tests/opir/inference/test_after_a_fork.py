"""A process that is forked off after a photo was restored restores photos too, and does not wait without end."""

import subprocess
import sys

PROGRAM = """
import os, signal
import numpy as np
import torch
from opir import OPIR, OPIRConfig, Restorer

torch.set_num_threads(2)
restorer = Restorer(OPIR(OPIRConfig(width=8, scales=(1, 2))), device="cpu", precision="fp32")
photo = np.random.default_rng(0).random((300, 400, 3))
expected = restorer.restore(photo).restored_rgb
child = os.fork()
if child == 0:
    signal.alarm(100)
    same = torch.equal(restorer.restore(photo).restored_rgb, expected)
    os._exit(0 if same else 3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_process_restores() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.split() == ["0"]
