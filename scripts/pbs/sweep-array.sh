#!/bin/bash
# A planned sweep as an array of PBS (OpenPBS, PBS Pro), to be copied and edited:
#   scripts/vegard sweep plan cases/sweeps/quick.yaml
#   qsub -J 1-18%6 -v SWEEP=results/quick scripts/pbs/sweep-array.sh
# The numbers are those of the runs in plan.csv. Finished runs are left as they are and stopped ones go on from their
# checkpoint, so the same line is submitted again for what was not finished in time, or after a cancelled job.
#PBS -N vegard-sweep
#PBS -l select=1:ncpus=1:mem=4gb
#PBS -l walltime=02:00:00
#PBS -j oe

cd "$PBS_O_WORKDIR" || exit 1
: "${SWEEP:?}"
vegard=(scripts/vegard)

# Some minutes before the walltime, a run is asked to keep a checkpoint.
timeout --signal=USR1 116m "${vegard[@]}" sweep task "$SWEEP" "$PBS_ARRAY_INDEX"
