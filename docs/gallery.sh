#!/bin/sh
# From weights to a gallery of named directions: factorize, name, mix, clean, film.
#   sh docs/gallery.sh [MODEL] [FOLDER]      SIZE=256 FRAMES=24 SEED=2 are defaults
set -eu
model=${1:-mobilestylegan_ffhq}
folder=${2:-gallery}
size=${SIZE:-256} frames=${FRAMES:-24} seed=${SEED:-2}

mkdir -p "$folder"
bundle=$folder/named.dirs
sefa factorize "$model" -L bottom --deflate-gain --num 8 -o "$bundle" --overwrite
sefa name "$bundle" 0 "turns" 1 "hair and smile" 2 "hair length"

# The labels say what four faces show (seeds 0-3): in 1 a fuller head of hair smiles, in 2 short
# hair becomes long (seed 0 has long hair already, where it can only change its cut).

# One direction of two: turns and lets the hair grow, with nothing of "hair and smile" left in it.
sefa pick "$bundle" --mix '0.7*turns + 0.5*"hair length"' --as "turns, hair grows" \
  --without "hair and smile" -o "$folder/mix.dirs" --overwrite
sefa pick "$bundle" "$folder/mix.dirs" --k 0-2 --k 0 -o "$folder/gallery.dirs" --overwrite

for label in "turns" "hair and smile" "hair length" "turns, hair grows"; do
  name=$(echo "$label" | tr -d , | tr ' ' -)
  sefa animate --dirs "$folder/gallery.dirs" --k "$label" --seeds "$seed" --size "$size" --fast \
    --frames "$frames" --bounce -o "$folder/$name.gif" --overwrite
done
sefa inspect "$folder/gallery.dirs"
