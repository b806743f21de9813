#!/bin/bash
# One case as a job of PBS (OpenPBS, PBS Pro), to be copied and edited:
#   qsub -v CASE=my-case.yaml,RESULTS=results/my-case scripts/pbs/one-run.sh
# A run that does not end in time keeps a checkpoint, and the job submits itself again until the run is finished.
#PBS -N vegard
#PBS -l select=1:ncpus=8:mpiprocs=8:mem=16gb
#PBS -l walltime=04:00:00
#PBS -j oe

cd "$PBS_O_WORKDIR" || exit 1
: "${CASE:?}" "${RESULTS:?}"
ranks=8          # mpiprocs
minutes=236      # walltime less some minutes: PBS itself sends no signal that leaves enough time
turns=${TURNS:-20}

# How vegard is called; see scripts/slurm/one-run.sh for modules, conda and containers.
vegard=(scripts/vegard)

if [ -e "$RESULTS/checkpoint/latest.json" ]; then
    timeout --signal=USR1 "${minutes}m" "${vegard[@]}" resume "$RESULTS" --ranks "$ranks"
else
    timeout --signal=USR1 "${minutes}m" "${vegard[@]}" run "$CASE" --output "$RESULTS" --ranks "$ranks"
fi
status=$?

# 124: timeout asked it to stop; a checkpoint and no end mean that there is more to do.
if [ "$status" -eq 124 ] && [ -e "$RESULTS/checkpoint/latest.json" ] && [ "$turns" -gt 1 ]; then
    qsub -v "CASE=$CASE,RESULTS=$RESULTS,TURNS=$((turns - 1))" "$PBS_O_WORKDIR/scripts/pbs/one-run.sh"
fi
exit "$status"
