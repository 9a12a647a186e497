import { runApp } from './run-app.js';

runApp({});
