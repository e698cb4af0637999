#!/usr/bin/env bash
# From nothing to samples on a machine without a GPU, in minutes: installs what is missing, builds the program (CPU only),
# trains adversarial score networks on 25 Gaussians, the swiss roll and 8x8 digits, samples each with annealed Langevin
# (als) and Consistent Annealed Sampling (cas) from one seed, measures the samples, and leaves pictures, numbers
# (quickstart.json) and the trained runs in quickstart-out/, replacing its own earlier output.
#
#   tools/quickstart.sh [--with-plain]     --with-plain also trains the digits without a critic, and shows that both
#                                          networks draw the same pictures from one seed (about 2 minutes more)
set -euo pipefail
with_plain=false
case "$*" in
  "") ;;
  --with-plain) with_plain=true ;;
  *) echo "quickstart.sh: $*: the only option is --with-plain" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/.."
begin=$SECONDS
seed=7
out=quickstart-out
marker=.made-by-quickstart

if [ -e "$out" ] && [ ! -e "$out/$marker" ]; then
  echo "quickstart.sh: $out exists and was not made by this script; move it away first" >&2
  exit 2
fi

echo "== 1. install and build"
tools/install_deps.sh
cmake --preset cpu >/dev/null
cmake --build --preset cpu --parallel "$(nproc)" | tail -n 1
ascore=$PWD/build/cpu/tools/ascore
built=$((SECONDS - begin))

rm -rf "$out"
mkdir -p "$out"
touch "$out/$marker"

json=""       # the members of quickstart.json's object, so far
table=""      # the lines of the table printed last
# member NAME VALUE: adds to the innermost open object text in $fields.
member() { fields+="${fields:+, }\"$1\": $2"; }
# number KEY FILE: the value of a top-level key of a one-line JSON object.
number() { sed -n "s/.*[{,]\"$1\": *\([-+0-9.eE]*\).*/\1/p" "$2" | head -n 1; }

# train NAME RECIPE [OPTIONS...]: trains into $out/NAME and starts the experiment's JSON object.
train() {
  local name=$1 recipe=$2 start=$SECONDS
  shift 2
  echo "== train $name"
  "$ascore" train "$recipe" --out "$out/$name" --quiet "$@" >/dev/null
  fields=""
  member train_seconds $((SECONDS - start))
  member last_metrics "$(tail -n 1 "$out/$name/metrics.jsonl")"
}

# draw NAME RECIPE SAMPLER COUNT [OPTIONS...]: samples from the run, measures (OPTIONS of evaluate), adds the sampler's
# object.
draw() {
  local name=$1 recipe=$2 sampler=$3 count=$4 start=$SECONDS
  shift 4
  local folder=$out/$name/$sampler
  "$ascore" sample "$out/$name" --out "$folder" --sampler "$sampler" --count "$count" --seed "$seed" --quiet \
    >/dev/null
  local seconds=$((SECONDS - start))
  "$ascore" evaluate "$folder/samples.npz" --reference "$recipe" --quiet "$@" >"$folder/metrics.json"
  cp "$folder/grid.png" "$out/$name-$sampler.png"
  local measured
  measured=$(sed 's/^{//; s/}$//' "$folder/metrics.json")
  member "$sampler" "{$measured, \"grid\": \"$name-$sampler.png\", \"seconds\": $seconds}"
  table+=$(printf '%-26s %-4s %s' "$name" "$sampler" "$measured" | tr -d '"')$'\n'
}

finish() { json+="${json:+,$'\n' }\"$1\": {$fields}"; }

# The shipped recipes, with fewer steps and smaller batches where that is what minutes on two cores allow. `quick` ones
# leave out what only long runs need.
quick=(--set training.preview_every=0 --set training.held_out_every=0 --set training.checkpoint_every=0)

train gaussians25 gaussians25 "${quick[@]}"
for sampler in cas als; do draw gaussians25 gaussians25 "$sampler" 2000; done
finish gaussians25

# Unconditional, for comparison: in the plane the noise level cannot be read from a point, so this cannot do as well.
train gaussians25_unconditional gaussians25 "${quick[@]}" --max-steps 2000 --set score.conditional=false
draw gaussians25_unconditional gaussians25 cas 2000
finish gaussians25_unconditional

train swissroll swissroll "${quick[@]}" --max-steps 2000
for sampler in cas als; do draw swissroll swissroll "$sampler" 2000; done
finish swissroll

train digits digits "${quick[@]}" --max-steps 1500
for sampler in cas als; do draw digits digits "$sampler" 896; done
member halves_frechet "$(number halves_frechet "$out/digits/cas/metrics.json")"
finish digits

if $with_plain; then
  train digits_plain digits_plain "${quick[@]}" --max-steps 1500
  for sampler in cas als; do
    draw digits_plain digits_plain "$sampler" 896 --beside "$out/digits/$sampler/samples.npz"
  done
  finish digits_plain
fi

printf '{%s,\n "seed": %s, "build_seconds": %s, "seconds": %s}\n' "$json" "$seed" "$built" $((SECONDS - begin)) \
  >"$out/quickstart.json"

echo
echo "== results (denoised samples; seed $seed)"
printf '%s' "$table"
echo
echo "build ${built} s, all $((SECONDS - begin)) s; pictures, runs and quickstart.json are in $out/"
