// Three lines for whoever comes for the first time. This browser remembers that they were read.
export default {
  template: `
    <aside v-if="open" class="hint" aria-label="How to begin">
      <p v-for="line in lines">{{ line }}</p>
      <button type="button" @click="close">Got it</button>
    </aside>`,
  props: { lines: Array },
  data: () => ({ open: false }),
  mounted() { this.open = !localStorage.getItem("sefa-hint"); },
  methods: {
    close() {
      this.open = false;
      localStorage.setItem("sefa-hint", "read");
    },
  },
};
