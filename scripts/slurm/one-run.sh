#!/bin/bash
# One case as a job of Slurm, to be copied and edited:
#   sbatch scripts/slurm/one-run.sh my-case.yaml results/my-case
# A run that does not end in time keeps a checkpoint and goes back to the queue, until it is finished.
#SBATCH --job-name=vegard
#SBATCH --nodes=1
#SBATCH --ntasks=8               # ranks; all on one node, see docs/clusters.md for more
#SBATCH --cpus-per-task=1        # threads only get in the way of ranks
#SBATCH --mem=16G                # "vegard check my-case.yaml" estimates it
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@180      # three minutes before the end, to this script only
#SBATCH --requeue
#SBATCH --open-mode=append       # all turns into one log
#SBATCH --output=%x-%j.log
##SBATCH --partition=standard
##SBATCH --account=my-project

case=${1:?the case file is missing: sbatch one-run.sh my-case.yaml results/my-case}
results=${2:?the results folder is missing: sbatch one-run.sh my-case.yaml results/my-case}

# How vegard is called. One of these; the first works wherever scripts/vegard does.
vegard=(scripts/vegard) # found from the folder in which sbatch was called
# module load dolfinx openmpi; vegard=(python3 -m solver.cli); export PYTHONPATH=$HOME/vegard
# source ~/miniforge3/etc/profile.d/conda.sh; conda activate vegard; vegard=(vegard)
# vegard=(apptainer exec --bind "$PWD" vegard.sif "$HOME/vegard/scripts/vegard")

process="" asked=no again=no
trap 'asked=yes again=yes; [ -z "$process" ] || kill -USR1 "$process"' USR1
trap 'again=yes; [ -z "$process" ] || kill -TERM "$process"' TERM

if [ -e "$results/checkpoint/latest.json" ]; then
    "${vegard[@]}" resume "$results" --ranks "$SLURM_NTASKS" &
else
    "${vegard[@]}" run "$case" --output "$results" --ranks "$SLURM_NTASKS" &
fi
process=$!
while true; do # a signal ends the waiting, not the run
    again=no
    wait "$process"
    status=$?
    if [ "$again" = no ]; then break; fi
done
process=""

# 75: stopped by the signal, with a checkpoint.
if [ "$asked" = yes ] && [ "$status" -eq 75 ] && [ -e "$results/checkpoint/latest.json" ] &&
    [ "${SLURM_RESTART_COUNT:-0}" -lt 20 ]; then
    scontrol requeue "$SLURM_JOB_ID" && sleep 60
fi
exit "$status"
