export { HandClock } from '../../src/testing/clock.ts'
