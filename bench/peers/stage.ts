import type { Ground, Grounds } from './grounds.ts'
import type { System } from './systems.ts'
import { Program } from './talk.ts'

/** A fresh place with a system's producer on it and, where asked for, its worker in another process. */
export class Stage implements AsyncDisposable {
  readonly ground: Ground
  readonly producer: Program
  readonly #system: System
  readonly #folder: string
  readonly #programs: Program[] = []

  private constructor(system: System, ground: Ground, folder: string) {
    this.#system = system
    this.ground = ground
    this.#folder = folder
    this.producer = this.#start()
  }

  static async set(system: System, grounds: Grounds): Promise<Stage> {
    return new Stage(system, await grounds.fresh(system.server), grounds.folder)
  }

  worker(): Program {
    return this.#system.isOneProcess ? this.producer : this.#start()
  }

  async endPrograms(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program[Symbol.asyncDispose]()))
  }

  #start(): Program {
    const program = new Program(this.#system, this.ground.url, this.#folder)
    this.#programs.push(program)
    return program
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endPrograms()
    await this.ground[Symbol.asyncDispose]()
  }
}
