#!/bin/sh
# The main job, once, on the real default model: `make demo` runs this.
set -eu
mkdir -p demo

echo "1. Directions of the layers that shape pose and form, from the weights alone:"
set -x
sefa factorize mobilestylegan_ffhq -L 0-4 --deflate-gain -o demo/face.dirs --overwrite
{ set +x; } 2>/dev/null

echo "2. Direction 0 turns the head, 1 moves hair off the face, 2 makes it longer:"
set -x
sefa edit --dirs demo/face.dirs --k 0-2 --alpha -3,3 --seeds 0 --size 256 -o demo/faces.png --overwrite
{ set +x; } 2>/dev/null

echo "3. A film of direction 0:"
set -x
sefa animate --dirs demo/face.dirs --k 0 --seeds 0,3 --size 256 --fast --bounce -o demo/turn.gif --overwrite
{ set +x; } 2>/dev/null

cat <<'END'

Written:
  demo/face.dirs   512 directions, with their eigenvalues, layers and the model's fingerprint
  demo/faces.png   a face before and after four of them
  demo/turn.gif    a head that turns

Try next (the command is .venv/bin/sefa):
  sefa inspect demo/face.dirs
  sefa sample mobilestylegan_ffhq --seeds 0-15 --fast
  sefa edit --dirs demo/face.dirs --k 2 --alpha 4
  sefa animate --dirs demo/face.dirs --k 2 -o demo/hair.mp4
END
