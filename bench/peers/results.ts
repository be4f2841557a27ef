import { median } from '../lib/statistics.ts'
import { FIGURES, type FigureName, type Figures } from './names.ts'
import { errandBeside, type System } from './systems.ts'

export type Lead = {
  system: System
  figure: FigureName
  value: number
  errand: number
  ratio: number
}

/** Less than this is nobody's lead. */
const NOISE = 0.02

/** What every round measured. Ratios are taken within a round, where a slow minute weighs on both sides. */
export class Results {
  readonly #rounds: Map<string, Figures>[] = []

  add({ id }: System, round: number, figures: Figures): void {
    const systems = (this.#rounds[round] ??= new Map<string, Figures>())
    systems.set(id, { ...systems.get(id), ...figures })
  }

  /** One value a round, for rounds that have it. */
  runs(id: string, figure: FigureName): number[] {
    return this.each((of) => of(id, figure))
  }

  /** Computes a value for each round, leaving out those that lack one of its parts. */
  each(compute: (of: (id: string, figure: FigureName) => number) => number): number[] {
    return this.#rounds
      .map((systems) => compute((id, figure) => systems.get(id)?.[figure] ?? Number.NaN))
      .filter((value) => !Number.isNaN(value))
  }

  /** Errand : this system, round by round. */
  ratios(system: System, figure: FigureName): number[] {
    const errand = errandBeside(system)
    if (errand === undefined || errand === system) return []
    return this.each((of) => of(errand.id, figure) / of(system.id, figure))
  }

  /** Whether there was a peer to be compared with. */
  hasRatios(systems: readonly System[]): boolean {
    return systems.some((one) => figureNames.some((figure) => this.ratios(one, figure).length > 0))
  }

  /** Where a peer is better than Errand on the same kind of server. */
  leads(systems: readonly System[]): Lead[] {
    return figureNames.flatMap((figure) =>
      systems.flatMap((system) => {
        const ratio = median(this.ratios(system, figure))
        const isAhead = isMoreBetter(figure) ? ratio < 1 - NOISE : ratio > 1 + NOISE
        if (!isAhead) return []
        const errand = median(this.runs(errandBeside(system)?.id ?? '', figure))
        return [{ system, figure, value: median(this.runs(system.id, figure)), errand, ratio }]
      }),
    )
  }
}

const isFigure = (name: string): name is FigureName => name in FIGURES
export const figureNames: readonly FigureName[] = Object.keys(FIGURES).filter(isFigure)

const isMoreBetter = (figure: FigureName) => FIGURES[figure] === 'jobs/s' || FIGURES[figure] === '×'
