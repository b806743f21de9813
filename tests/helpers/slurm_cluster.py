"""A Slurm of one node in a folder: no privileges, nothing installed or changed, on the loopback interface only."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sinfo", "setpriv")


def missing_programs() -> list[str]:
    """What Slurm needs and this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class Cluster:
    """Daemons of Slurm that run from `start` to `stop`.

    Args:
        folder: Where everything is kept.
        cores: Cores that the node pretends to have.
    """

    def __init__(self, folder: Path, cores: int = 2) -> None:
        self.folder, self.configuration = folder, folder / "slurm.conf"
        for name in ("state", "spool", "log"):
            (folder / name).mkdir(parents=True)
        controller, node = _free_ports(2)
        self.configuration.write_text(_configuration(folder, cores, controller, node))
        (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
        self._daemons: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the daemons and wait for the node."""
        environment = {**os.environ, "SLURM_CONF": str(self.configuration)}
        for command in (["slurmctld", "-D", "-c"], ["slurmd", "-D"]):
            output = (self.folder / "log" / f"{command[0]}.out").open("wb")
            tied = ["setpriv", "--pdeathsig", "TERM", *command]  # they end when the tests are killed
            self._daemons.append(subprocess.Popen(tied, env=environment, stdout=output, stderr=subprocess.STDOUT))
        self.wait_until(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T", check=False), 20.0)

    def ask(self, *command: str, check: bool = True) -> str:
        """What a command of Slurm prints."""
        environment = {**os.environ, "SLURM_CONF": str(self.configuration)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=check, timeout=30)
        return done.stdout

    def queue(self) -> list[str]:
        """Tasks that have not ended, as JOB_TASK STATE."""
        return self.ask("squeue", "-h", "-r", "-o", "%F_%K %T").splitlines()

    def wait_until(self, is_so, seconds: float) -> None:
        """Wait for something to come true; fails with the end of the logs when it does not."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                logs = [path.read_text(errors="replace")[-1500:] for path in (self.folder / "log").iterdir()]
                raise AssertionError("\n".join([f"waited for {seconds:g} s", *self.queue(), *logs]))
            time.sleep(0.2)

    def stop(self) -> None:
        """Cancel what is left and end the daemons."""
        self.ask("scancel", "--full", f"--user={os.getuid()}", check=False)
        deadline = time.monotonic() + 10.0
        while time.monotonic() < deadline and self.ask("squeue", "-h", check=False):
            time.sleep(0.2)
        for daemon in self._daemons:
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(10.0)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for entry in sockets:
        entry.bind(("127.0.0.1", 0))
    ports = [entry.getsockname()[1] for entry in sockets]
    for entry in sockets:
        entry.close()
    return ports


def _configuration(folder: Path, cores: int, controller: int, node: int) -> str:
    user, host = getpass.getuser(), socket.gethostname().partition(".")[0]
    return f"""\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
# A job that goes back to the queue waits until its credential has expired.
AuthInfo=cred_expire=5
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.log
SlurmctldPort={controller}
SlurmdPort={node}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
KillWait=5
MessageTimeout=30
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=8000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
