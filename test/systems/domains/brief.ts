/** What stays for a month stays for a moment in these tests: by settings alone, read when the system is loaded. */
Object.assign(process.env, { DOMAINS_KEEP_MS: '1000' })
