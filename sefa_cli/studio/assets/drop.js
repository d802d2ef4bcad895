// A place for files: dropped on it, or chosen by a click or a key. The answer stands below it; if
// the place is the whole window, the page shows it.
export default {
  template: `
    <div>
      <div v-if="anywhere" v-show="over || reading" class="drop over anywhere">{{ reading || label }}</div>
      <label v-else class="drop" :class="{over}" @dragover.prevent.stop="over = true" @dragleave="over = false"
             @drop.prevent.stop="over = false; send($event.dataTransfer.files[0])">
        <input type="file" :accept="accept" @change="chosen($event.target)">
        {{ reading || label }}
      </label>
      <p v-if="answer && !anywhere" class="fault" role="alert">{{ answer }}</p>
    </div>`,
  props: {
    label: String, address: String, accept: String, largest: Number, refusal: String, anywhere: Boolean,
  },
  data: () => ({ over: false, answer: "", reading: "", ways: {} }),
  mounted() {
    if (!this.anywhere) return;
    const isFile = (event) => event.dataTransfer?.types.includes("Files");
    this.ways = {
      dragover: (event) => { if (isFile(event)) { event.preventDefault(); this.over = true; } },
      dragleave: (event) => { if (!event.relatedTarget) this.over = false; },
      drop: (event) => {
        this.over = false;
        if (!isFile(event)) return;
        event.preventDefault();
        this.send(event.dataTransfer.files[0]);
      },
    };
    for (const [name, way] of Object.entries(this.ways)) window.addEventListener(name, way);
  },
  unmounted() {
    for (const [name, way] of Object.entries(this.ways)) window.removeEventListener(name, way);
  },
  methods: {
    chosen(input) {
      this.send(input.files[0]);
      input.value = "";  // so that the same file can be chosen again
    },
    async send(file) {
      if (!file) return;
      this.$emit("begun");
      this.answer = file.size > this.largest ? this.refusal : await this.read(file);
      if (this.answer && this.anywhere) this.$emit("refused", this.answer);
    },
    async read(file) {
      const address = `${this.address}?name=${encodeURIComponent(file.name)}`;
      this.reading = `Reading ${file.name} …`;  // a first photo takes seconds: its network is loaded
      try {
        const sent = await fetch(address, { method: "POST", body: file });
        return await sent.text();
      } catch {
        return "The studio does not answer.";
      } finally {
        this.reading = "";
      }
    },
  },
};
