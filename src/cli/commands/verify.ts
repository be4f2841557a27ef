import type { Define } from '../commands.ts'

export const verify: Define = (command, desk) => {
  command.action(async () => {
    const { print } = desk
    await using errand = await desk.errand()
    const findings = await errand.watch.verify()
    print.show(findings, () => {
      if (findings.length === 0)
        return `${print.paint('green', '✔')} every accepted job is accounted for`
      return findings
        .map(({ law, detail }) => `${print.paint('red', '✘')} ${law}: ${detail}`)
        .join('\n')
    })
    if (findings.length > 0) process.exitCode = 1
  })
}
