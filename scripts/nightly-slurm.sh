#!/usr/bin/env bash
# Curation as a real Slurm job array: slurmctld, slurmd and munge from Debian on loopback, four shards, one of them killed
# in the middle and requeued, the merged result compared with a single machine's, byte for byte. Needs root and
#   apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge
# and a built package (npm run build). Takes some four minutes: Slurm holds a requeued task for 120 s. Everything runs in a
# folder of its own and on ports of its own; nothing of the machine's configuration is touched.
#   scripts/nightly-slurm.sh [rows]
set -euo pipefail
cd "$(dirname "$0")/.."
rows="${1:-400000}"
cli="$PWD/dist/cli/main.js"
for tool in slurmctld slurmd sbatch squeue scontrol munged; do
  command -v "$tool" >/dev/null || PATH="$PATH:/usr/sbin" command -v "$tool" >/dev/null || {
    echo "$tool not found: apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge" >&2
    exit 2
  }
done
PATH="$PATH:/usr/sbin"
[[ $(id -u) == 0 ]] || { echo 'run as root: slurmd starts tasks for other users' >&2; exit 2; }

work="$(mktemp -d /tmp/crossthink-slurm.XXXXXX)"
pids=()
stop() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [[ -n "${KEEP:-}" ]] && echo "kept: $work" || rm -rf "$work"
}
trap stop EXIT
fail() { echo "FAILED: $1" >&2; tail -n 20 "$work"/*.log >&2 || true; exit 1; }

# ---- A cluster of one node ---------------------------------------------------

host="$(hostname -s)"
mkdir -p "$work"/{state,spool,munge}
chmod 755 "$work"
chmod 700 "$work/munge"
dd if=/dev/urandom of="$work/munge/key" bs=1024 count=1 status=none
chmod 400 "$work/munge/key"
munged --force --foreground --socket="$work/munge.socket" --key-file="$work/munge/key" \
  --pid-file="$work/munged.pid" --seed-file="$work/munge/seed" --log-file="$work/munged.log" --num-threads=2 2>"$work/munged.err" &
pids+=($!)
cat >"$work/slurm.conf" <<CONF
ClusterName=crossthink
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
JobRequeue=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=5
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$work/slurm.conf"
slurmctld -D >"$work/slurmctld.log" 2>&1 &
pids+=($!)
slurmd -D -N "$host" >"$work/slurmd.log" 2>&1 &
pids+=($!)
for _ in $(seq 60); do
  state="$(sinfo -h -o %t 2>/dev/null || true)"
  [[ "$state" == idle ]] && break
  sleep 1
done
[[ "$state" == idle ]] || fail "the node is not idle after a minute, but '$state'"

# ---- Rows, a recipe, and what a single machine makes of them --------------------

node - "$work/rows.jsonl" "$rows" <<'JS'
const { openSync, writeSync } = require('node:fs');
const [file, rows] = process.argv.slice(2);
const out = openSync(file, 'w');
let lines = [];
for (let i = 0; i < Number(rows); i++) {
  const n = i % 50 === 0 ? Math.floor(i / 2) : i; // some repeat earlier ones
  const question = `Shop ${n} sells ${n % 97} apples and ${n % 89} pears a day. How many fruits does it sell in ${n % 13} days?`;
  lines.push(i % 1000 === 7 ? '{"question": broken' : JSON.stringify({ question, answer: `#### ${((n % 97) + (n % 89)) * (n % 13)}` }));
  if (lines.length === 10000 || i === rows - 1) { writeSync(out, lines.join('\n') + '\n'); lines = []; }
}
JS
printf 'inputs:\n  - { files: rows.jsonl, adapter: gsm8k }\nduplicates: exact\nseed: 7\n' >"$work/recipe.yaml"
node "$cli" curate "$work/recipe.yaml" --out "$work/single" --json >"$work/single.json"

# ---- The array; task 2 is killed on its first start, in the middle of its rows ----

# --shard auto reads SLURM_ARRAY_TASK_ID, _MIN and _COUNT. A requeued task finds its journal and goes on behind it.
cat >"$work/shard.sh" <<SH
#!/usr/bin/env bash
#SBATCH --job-name=curate --array=1-4 --requeue --open-mode=append
#SBATCH --output=$work/task-%a.log
echo "task \$SLURM_ARRAY_TASK_ID of \$SLURM_ARRAY_TASK_COUNT, restart \${SLURM_RESTART_COUNT:-0}"
out="$work/shards/\$SLURM_ARRAY_TASK_ID"
if [[ \$SLURM_ARRAY_TASK_ID == 2 && -z "\${SLURM_RESTART_COUNT:-}" ]]; then
  node "$cli" curate "$work/recipe.yaml" --shard auto --out "\$out" &
  curation=\$!
  # As soon as something stands in the partial output, and before it is whole: the hardest moment.
  until [[ -s "\$out/.questions.jsonl.partial" || -e "\$out/summary.json" ]]; do sleep 0.01; done
  kill -9 "\$curation"
  [[ -e "\$out/summary.json" ]] || touch "$work/was-killed"
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_\$SLURM_ARRAY_TASK_ID"
  sleep 600
fi
exec node "$cli" curate "$work/recipe.yaml" --shard auto --out "\$out" --json
SH
job="$(sbatch --parsable "$work/shard.sh")"
echo "job array $job, 4 shards of $rows rows on $host"
started=$SECONDS
while [[ -n "$(squeue -h -j "$job" 2>/dev/null || true)" ]]; do
  ((SECONDS - started < 600)) || fail 'the array is not done after ten minutes'
  sleep 2
done
for shard in 1 2 3 4; do
  [[ -e "$work/shards/$shard/summary.json" ]] || fail "shard $shard is not done: $(cat "$work/task-$shard.log" 2>/dev/null)"
done
[[ -e "$work/was-killed" ]] || fail 'shard 2 was done before it could be killed: give more rows'
grep -q 'restart 1' "$work/task-2.log" || fail 'shard 2 was not requeued'

# ---- The same bytes ---------------------------------------------------------------

node "$cli" merge "$work"/shards/{1,2,3,4} --out "$work/merged" --json >"$work/merged.json"
for name in questions.jsonl ledger.jsonl README.md summary.json; do
  cmp "$work/single/$name" "$work/merged/$name" || fail "$name differs"
done
echo "passed in $((SECONDS - started)) s: the array's merged bytes are those of a single run ($(wc -l <"$work/single/questions.jsonl") questions); shard 2 was killed and requeued"
