// A line of text that changes by itself: an update of any element would redraw the whole page.
export default {
  template: `<div>{{ text }}</div>`,
  data: () => ({ text: "" }),
  methods: {
    say(text) { this.text = text; },
  },
};
