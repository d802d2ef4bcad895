// A slider that keeps its value itself. NiceGUI's keeps it where a change redraws the whole page, which takes
// 20 ms of the processors that make the picture. Here it only leaves the value there for the next redrawing.
// Quasar gives role and name to the outermost element, but the focus to one inside; a screen reader reads that one.
export default {
  template: `<q-slider :model-value="value" @update:model-value="take"></q-slider>`,
  props: { modelValue: Number },
  emits: ["update:modelValue"],
  data() { return { value: this.modelValue }; },
  watch: {
    modelValue(value) { this.value = value; },
  },
  mounted() { this.name(); },
  updated() { this.name(); },
  methods: {
    take(value) {
      this.value = value;
      this.$emit("update:modelValue", value);
    },
    name() {
      const focused = this.$el.querySelector("[tabindex]");
      for (const { name, value } of [...this.$el.attributes]) {
        if (focused && (name === "role" || name.startsWith("aria-"))) {
          focused.setAttribute(name, value);
          this.$el.removeAttribute(name);
        }
      }
    },
  },
};
