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
sefa name "$bundle" 0 "turns the head" 1 "hair off the face" 2 "longer hair"
# docs/annotations.md says on how many faces these labels hold, and what else changes.

# Mix two directions into one, and take the share of "hair off the face" out of it.
sefa pick "$bundle" --mix '0.7*"turns the head" + 0.5*"longer hair"' --as "turns, hair grows" \
  --without "hair off the face" -o "$folder/mix.dirs" --overwrite
sefa pick "$bundle" "$folder/mix.dirs" --k 0-2 --k 0 -o "$folder/gallery.dirs" --overwrite

for label in "turns the head" "hair off the face" "longer hair" "turns, hair grows"; do
  name=$(echo "$label" | tr -d , | tr ' ' -)
  sefa animate --dirs "$folder/gallery.dirs" --k "$label" --seeds "$seed" --size "$size" --fast \
    --frames "$frames" --bounce -o "$folder/$name.gif" --overwrite
done
sefa inspect "$folder/gallery.dirs"
