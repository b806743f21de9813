#!/bin/bash
# Runs of the sweep "{{ title }}" as an array job of Slurm. Written by "vegard sweep submit", which submits it too;
# by hand: sbatch {{ path }}
# The number of a task{% if first %}, plus {{ first }},{% endif %} is the number of a run in plan.csv. Finished runs are left as they are.
#SBATCH --job-name={{ name }}
#SBATCH --array={{ array }}
#SBATCH --output={{ logs }}/%A_%a.log
#SBATCH --open-mode=append
#SBATCH --nodes=1
#SBATCH --ntasks={{ ranks }}
#SBATCH --cpus-per-task={{ profile.cores_per_rank }}
#SBATCH --mem={{ memory }}M
#SBATCH --time={{ minutes }}
{%- if profile.partition %}
#SBATCH --partition={{ profile.partition }}
{%- endif %}
{%- if profile.account %}
#SBATCH --account={{ profile.account }}
{%- endif %}
# Before its time is over, a run keeps a checkpoint and goes back to the queue.
#SBATCH --signal=B:USR1@{{ notice }}
#SBATCH --requeue
{%- for option in profile.extra %}
#SBATCH {{ option }}
{%- endfor %}

cd {{ folder }} || exit 1
run=$((SLURM_ARRAY_TASK_ID + {{ first }}))
echo "run $run, job ${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID, turn $((${SLURM_RESTART_COUNT:-0} + 1)) on $(hostname)"
{%- for line in profile.environment %}
{{ line }}
{%- endfor %}
{%- if profile.scratch %}

# Compiled kernels are read from the node's own disk. Those that are compiled here are kept for the next jobs.
shared=${VEGARD_JIT_CACHE:-{{ kernels }}}
export VEGARD_JIT_CACHE={{ profile.scratch }}/vegard-kernels-$(id -u)
copy_kernels() { # FROM TO: whole kernels only; the .c.cached of a kernel is written last
    local mark name part target
    mkdir -p "$2"
    find "$1" -name '*.c.cached' 2>/dev/null | while read -r mark; do
        name=${mark%.c.cached}
        target=$2${name#"$1"}
        if [ -e "$target.c" ]; then continue; fi
        mkdir -p "$(dirname "$target")"
        for part in "$name".*; do
            if [ "$part" != "$mark" ]; then cp -p "$part" "$(dirname "$target")" || return; fi
        done
        cp -p "$mark" "$target.c.cached"
    done
}
mkdir -p "$VEGARD_JIT_CACHE" "$shared"
flock "$VEGARD_JIT_CACHE.lock" bash -c "$(declare -f copy_kernels); copy_kernels '$shared' '$VEGARD_JIT_CACHE'"
{%- endif %}

process="" asked=no again=no
stop_in_time() { asked=yes again=yes; if [ -n "$process" ]; then kill -USR1 "$process"; fi; }
trap stop_in_time USR1
trap 'again=yes; if [ -n "$process" ]; then kill -TERM "$process"; fi' TERM
{{ command }} sweep task {{ folder }} "$run" &
process=$!
# A signal ends the waiting, not the run.
while true; do
    again=no
    wait "$process"
    status=$?
    if [ "$again" = no ]; then break; fi
done
process=""
{%- if profile.scratch %}
flock "$shared.lock" bash -c "$(declare -f copy_kernels); copy_kernels '$VEGARD_JIT_CACHE' '$shared'"
{%- endif %}

if [ "$asked" = yes ] && [ "$status" -eq 75 ]; then
    if [ "${SLURM_RESTART_COUNT:-0}" -lt {{ profile.requeues }} ]; then
        echo "run $run goes back to the queue"
        scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 60
    else
        echo "run $run went back {{ profile.requeues }} times, which is all it may; vegard sweep submit goes on with it"
    fi
fi
exit "$status"
