// A place for files: dropped on it, or chosen by a click or a key. The answer stands below it.
export default {
  template: `
    <div>
      <label class="drop" :class="{over}" @dragover.prevent="over = true" @dragleave="over = false"
             @drop.prevent="over = false; send($event.dataTransfer.files[0])">
        <input type="file" :accept="accept" @change="chosen($event.target)">
        {{ label }}
      </label>
      <p v-if="answer" class="fault" role="alert">{{ answer }}</p>
    </div>`,
  props: { label: String, address: String, accept: String, largest: Number, refusal: String },
  data: () => ({ over: false, answer: "" }),
  methods: {
    chosen(input) {
      this.send(input.files[0]);
      input.value = "";  // so that the same file can be chosen again
    },
    async send(file) {
      if (!file) return;
      this.answer = file.size > this.largest ? this.refusal : "";
      if (this.answer) return;
      const address = `${this.address}?name=${encodeURIComponent(file.name)}`;
      try {
        const sent = await fetch(address, { method: "POST", body: file });
        this.answer = await sent.text();
      } catch {
        this.answer = "The studio does not answer.";
      }
    },
  },
};
