import { defineApp } from 'errand'
import { leadingHome } from './common/home.ts'
import { servePage } from './common/page.ts'
import documents from './documents/app.ts'
import domains from './domains/app.ts'
import { guidelines } from './guidelines/app.ts'
import payments from './payments/app.ts'
import reports from './reports/app.ts'

/** All the systems in one server and one worker, with a page that says what each is. */
export default defineApp({
  jobs: [],
  apps: [payments, guidelines, reports, domains, documents].map(leadingHome),
  routes: (app) => servePage(app, new URL('start/', import.meta.url)),
})
