// VitePress loads the file of this name.
import { useRoute } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { nextTick, onMounted, watch } from 'vue';
import './site.css';

/** The home page and the page for a wrong address have no main landmark in the theme. */
const markMain = () => document.querySelector('.VPContent:not(.has-sidebar)')?.setAttribute('role', 'main');

export default {
  extends: DefaultTheme,
  setup() {
    const route = useRoute();
    onMounted(markMain);
    watch(
      () => route.path,
      () => nextTick(markMain),
    );
  },
};
