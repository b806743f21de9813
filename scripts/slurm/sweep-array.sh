#!/bin/bash
# A planned sweep as an array of Slurm by hand, the short way; "vegard sweep submit" writes a longer one.
#   scripts/vegard sweep plan cases/sweeps/quick.yaml
#   sbatch --array=1-18%6 scripts/slurm/sweep-array.sh results/quick
# The numbers are those of the runs in plan.csv. Finished runs are left as they are and stopped ones go on, so the same
# line may be submitted again after a cancelled job.
#SBATCH --job-name=vegard-sweep
#SBATCH --nodes=1
#SBATCH --ntasks=1               # "ranks" of the sweep file
#SBATCH --mem=4G                 # the largest of plan.csv, with some to spare
#SBATCH --time=02:00:00
#SBATCH --signal=B:USR1@180
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=vegard-%A_%a.log

folder=${1:?the folder of the sweep is missing: sbatch --array=1-18 sweep-array.sh results/quick}

vegard=(scripts/vegard) # or a module, conda, a container: see one-run.sh

process="" asked=no again=no
trap 'asked=yes again=yes; [ -z "$process" ] || kill -USR1 "$process"' USR1
trap 'again=yes; [ -z "$process" ] || kill -TERM "$process"' TERM
"${vegard[@]}" sweep task "$folder" "$SLURM_ARRAY_TASK_ID" &
process=$!
while true; do
    again=no
    wait "$process"
    status=$?
    if [ "$again" = no ]; then break; fi
done
process=""
if [ "$asked" = yes ] && [ "$status" -eq 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 20 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 60
fi
exit "$status"
