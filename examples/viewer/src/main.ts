import { App } from './app.ts';

new App(document.querySelector<HTMLElement>('#app') ?? document.body).start();
