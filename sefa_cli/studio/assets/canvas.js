// The picture, and what is drawn on it: a box, or strokes of a brush. Positions are parts of the
// picture's width and height, so that they mean the same at any size.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 0.02;

export default {
  template: `
    <div class="canvas" :class="{drawing: mode !== 'none'}" :aria-busy="busy ? 'true' : ariaBusy"
         v-bind="keys" @keydown="key" @keyup="up" @blur="up"
         @pointerdown="down" @pointermove="move" @pointerup="up" @pointercancel="up">
      <img ref="img" :src="shown" draggable="false" @load="ended" @error="ended" :alt="alt">
      <template v-if="other">
        <img class="other" :src="other" alt="" draggable="false"
             :style="{clipPath: 'inset(0 ' + (100 - part) + '% 0 0)'}">
        <span v-for="(side, i) in sides" class="side" :class="{right: i}">{{ side }}</span>
        <div class="edge" :style="{left: part + '%'}"></div>
        <input v-if="mode === 'none'" type="range" min="0" max="100" v-model.number="part"
               aria-label="compare: the other picture up to here">
      </template>
      <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">
        <defs><mask id="region" maskUnits="userSpaceOnUse" x="0" y="0" width="1000" height="1000">
          <rect width="1000" height="1000" fill="white"/>
          <rect v-if="box" v-bind="box" fill="black"/>
          <polyline v-for="s in lines" :points="line(s)" fill="none" stroke="black"
                    :stroke-width="brush * 1000" stroke-linecap="round" stroke-linejoin="round"/>
        </mask></defs>
        <rect v-if="strokes.length" width="1000" height="1000" class="veil" mask="url(#region)"/>
        <rect v-if="box" v-bind="box" class="outline" vector-effect="non-scaling-stroke"/>
      </svg>
    </div>`,
  props: { src: String, other: String, sides: Array, mode: String, brush: Number, alt: String, ariaBusy: String },
  data: () => ({ part: 50, shown: "", waiting: null, busy: false, strokes: [], kind: "box",
                pressed: false, keyed: false }),
  watch: {
    src(address) { this.show(address); },
  },
  mounted() { this.show(this.src); },
  computed: {
    lines() { return this.kind === "brush" ? this.strokes : []; },
    keys() {  // in the order of the Tab key only while a box can be drawn
      const label = "region: arrow keys move the box, with Shift they change its size";
      return this.mode === "box" ? { tabindex: 0, role: "application", "aria-label": label } : {};
    },
    box() {
      if (this.kind !== "box" || !this.strokes.length) return null;
      const stroke = this.strokes[0], [a, b] = [stroke[0], stroke[stroke.length - 1]];
      return {
        x: Math.min(a[0], b[0]) * 1000, y: Math.min(a[1], b[1]) * 1000,
        width: Math.abs(a[0] - b[0]) * 1000, height: Math.abs(a[1] - b[1]) * 1000,
      };
    },
  },
  methods: {
    show(address) {  // one at a time: the browser would cancel a picture that is on its way
      if (!address || address === (this.waiting || this.shown)) return;
      if (this.busy) { this.waiting = address; return; }
      this.busy = true;
      this.shown = address;
    },
    ended() {
      this.busy = false;
      const next = this.waiting;
      this.waiting = null;
      if (next) this.show(next);
    },
    at(event) {
      const area = this.$el.getBoundingClientRect();
      const part = (place, start, length) => Math.min(1, Math.max(0, (place - start) / length));
      return [part(event.clientX, area.left, area.width), part(event.clientY, area.top, area.height)];
    },
    line(stroke) {
      const points = stroke.length > 1 ? stroke : [stroke[0], stroke[0]];
      return points.map(([x, y]) => `${x * 1000},${y * 1000}`).join(" ");
    },
    down(event) {
      if (this.mode === "none" || event.button) return;
      event.preventDefault();
      this.$el.setPointerCapture(event.pointerId);
      if (this.mode === "box" || this.kind !== this.mode) this.strokes = [];
      this.kind = this.mode;
      this.strokes.push([this.at(event)]);
      this.pressed = true;
    },
    key(event) {
      const way = ARROWS[event.key];
      if (this.mode !== "box" || !way || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      const { x, y, width, height } = this.box || { x: 350, y: 350, width: 300, height: 300 };
      const low = [x / 1000, y / 1000], size = [width / 1000, height / 1000];
      for (const i of [0, 1]) {
        const [part, least, most] = event.shiftKey ? [size, STEP, 1 - low[i]] : [low, 0, 1 - size[i]];
        part[i] = Math.min(most, Math.max(least, part[i] + way[i] * STEP));
      }
      this.kind = "box";
      this.strokes = [[low, [low[0] + size[0], low[1] + size[1]]]];
      this.keyed = true;
    },
    move(event) {
      if (this.pressed) this.strokes[this.strokes.length - 1].push(this.at(event));
    },
    up() {
      if (!this.pressed && !this.keyed) return;
      this.pressed = this.keyed = false;
      this.$emit("drawn", { kind: this.kind, strokes: this.strokes, brush: this.brush });
    },
    clear() { this.strokes = []; },
  },
};
