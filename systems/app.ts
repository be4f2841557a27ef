export { default } from './documents/app.ts'
