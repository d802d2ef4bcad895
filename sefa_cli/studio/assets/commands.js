// Lines of a shell. They break between words, never inside one: "--fast" would become "-" and "-fast".
export default {
  template: `
    <div class="commands"><template v-for="(line, i) in lines">{{ i ? "\\n" : "" }}<template
      v-for="(word, j) in line.split(' ')">{{ j ? " " : "" }}<span>{{ word }}</span></template></template></div>`,
  props: { lines: Array },
};
