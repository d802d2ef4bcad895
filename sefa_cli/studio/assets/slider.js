// A slider that keeps its value itself. NiceGUI's keeps it where a change redraws the whole page, which takes
// 20 ms of the processors that make the picture. Here it only leaves the value there for the next redrawing.
export default {
  template: `<q-slider :model-value="value" @update:model-value="take"></q-slider>`,
  props: { modelValue: Number },
  emits: ["update:modelValue"],
  data() { return { value: this.modelValue }; },
  watch: {
    modelValue(value) { this.value = value; },
  },
  methods: {
    take(value) {
      this.value = value;
      this.$emit("update:modelValue", value);
    },
  },
};
