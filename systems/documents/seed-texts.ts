import type { Section } from './documents.ts'

export type Project = {
  code: string
  name: string
  team: string
  region: string
  topic: string
  homes: number
  partner: string
  measure: string
}

type Kind = {
  title: string
  summary: (project: Project) => string
  sections: (project: Project) => Section[]
}

const section = (heading: string, ...paragraphs: string[]): Section => ({ heading, paragraphs })

const brief: Kind = {
  title: 'Project brief',
  summary: ({ topic, region, homes }) =>
    `Why we study ${topic} in the ${region}, what ${homes} homes can tell us, and what will be decided on the strength of it.`,
  sections: ({ topic, region, homes, partner, measure }) => [
    section(
      'Question',
      `The project asks what is known, and what is only assumed, about ${topic}. Decisions in the ${region} are made every month on the basis of averages that hide the households for whom they matter most.`,
      'We ask three things: how large the difference between households is, which part of it a landlord or a council can change, and what the change would cost over ten years.',
    ),
    section(
      'Scope',
      `The study covers ${homes} homes. They were drawn at random from the register and stand for the building ages and tenures of the area. Homes that stood empty for more than half of the past year are left out.`,
      `Field work is done together with ${partner}. The partner opens doors and checks our wording; it sees results at the same time as everybody else.`,
    ),
    section(
      'Method',
      `Each home is visited twice, in the cold and in the warm half of the year. Between the visits we follow ${measure}. Interviews follow a written guide, take under an hour, and may be ended by the household at any point.`,
      'Figures are reported with their range. Where fewer than ten homes share a trait, the group is merged with its neighbour, so that no household can be recognised.',
    ),
    section(
      'Risks',
      'The greatest risk is that households drop out between the visits. We plan for one in five and offer a choice of dates, a short form, and a visit by the same person.',
      'The second risk is a mild winter. The design keeps a reserve of thirty homes at higher ground, to be used if the first readings are too close together.',
    ),
    section(
      'Decisions expected',
      'The steering group will be asked in the last quarter whether the approach should become part of the regular survey, and which two measures deserve a trial at full scale.',
    ),
  ],
}

const scan: Kind = {
  title: 'Evidence scan',
  summary: ({ topic }) =>
    `What earlier studies say about ${topic}: where they agree, where they do not, and what none of them looked at.`,
  sections: ({ topic, region, measure, homes }) => [
    section(
      'How we searched',
      `Two readers went through published studies, official statistics and evaluations on ${topic} from the past fifteen years. A third reader decided where they disagreed. Of 214 titles, 61 were read in full and 38 are used here.`,
    ),
    section(
      'Where studies agree',
      'The effect is real, it is larger in older buildings, and it is larger again where a household has no say over the timing of works. Eleven studies of good quality show this in different places and decades.',
      'Advice alone changes little. Advice joined with a small, prompt repair changes a great deal, and the change lasts for at least two years.',
    ),
    section(
      'Where they differ',
      `Estimates of cost differ by a factor of three. Most of the gap is explained by what is counted: some studies include the time of residents, most do not. For ${measure}, definitions vary so much that figures should not be compared across studies.`,
      'Studies that rely on complaints find sharp differences between districts. Studies that visit homes find far smaller ones. Complaints measure trust as much as they measure condition.',
    ),
    section(
      'What nobody looked at',
      `No study followed the same homes for more than three years, and none included the ${region} or an area like it. Our ${homes} homes will not close that gap, but they can show whether it is worth closing.`,
    ),
    section(
      'Consequence for the design',
      'We visit rather than ask by letter, count the time of residents, and publish the definitions together with the figures so that the next study can use them unchanged.',
    ),
  ],
}

const guide: Kind = {
  title: 'Interview guide',
  summary: ({ homes, region }) =>
    `The questions for the visits to ${homes} homes in the ${region}, in their order, with the reasons for them and the rules for asking.`,
  sections: ({ topic, partner, measure }) => [
    section(
      'Before the visit',
      `Confirm the date by the channel the household chose. Say who we are, that the talk is about ${topic}, and that ${partner} will not learn who took part.`,
      'Bring the printed consent form in the household’s first language and leave a copy. Nobody is interviewed in a hurry: if there is no time, offer another date.',
    ),
    section(
      'Opening',
      'Tell me how long you have lived here, and what made you choose this home. What do you like about it? What would you change first if it were free?',
      'Let the first answers run. They set the order of what follows; tick off topics as they come up by themselves.',
    ),
    section(
      'The home',
      `Walk through the rooms together where the household agrees. Note what is there, not what should be there. Explain how ${measure} will be followed, show the device if there is one, and say when it will be collected.`,
      'Ask for one thing that was repaired well and one that was not. Ask what happened between the report and the repair, step by step.',
    ),
    section(
      'Money and time',
      'Use the card with ranges; never ask for an exact income. Ask which bill comes first in a tight month, and which one waits. Ask how many hours went into letters, calls and waiting in the past year.',
    ),
    section(
      'Closing',
      'Ask whether something important was missed. Explain the second visit. Thank the household, hand over the voucher, and write your notes within the same day, before the next visit.',
    ),
  ],
}

const interim: Kind = {
  title: 'Interim findings',
  summary: ({ homes, name }) =>
    `What the first round of visits to ${homes} homes shows for ${name}. Figures may change with the second round.`,
  sections: ({ homes, region, measure, topic, partner }) => [
    section(
      'Taking part',
      `Of ${homes} homes invited, ${Math.round(homes * 0.83)} were visited in the first round and ${Math.round(homes * 0.76)} agreed to a second visit. Those who declined do not differ from the others in building age or tenure; they are somewhat younger.`,
    ),
    section(
      'Main findings',
      `Differences in ${measure} between homes of the same age are larger than differences between ages. The best tenth and the worst tenth of one and the same street lie further apart than the averages of any two districts in the ${region}.`,
      'In six of ten homes, the household had found an arrangement of its own: a room given up in winter, a neighbour who helps, a bill paid late on purpose. None of these show up in official figures.',
      `Residents judged ${topic} less by its size than by whether somebody had listened. Where one named person had answered, satisfaction was high even when the repair was not finished.`,
    ),
    section(
      'Surprises',
      'Homes that had been improved within the past five years did not do better than those improved ten years ago. The reason seems to be settings left as the installer chose them.',
      `Records held by ${partner} and our visits agree in four of five homes. Where they differ, the visit found more rooms in use than the record.`,
    ),
    section(
      'Limits',
      'One round is one season. Nothing here shows change over time, and groups under ten homes are not reported. The readings of fourteen devices were lost to flat batteries.',
    ),
    section(
      'Until the second round',
      'We will shorten the form by a third, replace the devices that failed, and return to every household with a one-page summary of what we learnt from it.',
    ),
  ],
}

const note: Kind = {
  title: 'Policy note',
  summary: ({ topic, region }) =>
    `Three proposals on ${topic} for decision makers in the ${region}, each with its cost, its effect and its weakest point.`,
  sections: ({ homes, partner, measure, region }) => [
    section(
      'In short',
      `Small prompt works do more than large late ones. For the price of one full renewal, forty homes can be brought to the point where ${measure} no longer stands out. We propose to begin with the ${homes} homes already visited.`,
    ),
    section(
      'Proposal 1: one person, one case',
      `Every report is owned by one named person at ${partner} from the first call to the check after three months. Cost: two posts. Effect: fewer repeated visits, and a quarter less time to a lasting result. Weakest point: leave and illness need cover from the first day.`,
    ),
    section(
      'Proposal 2: settings visited once a year',
      'A visit of forty minutes sets controls, shows the household how they work, and notes what is worn. Cost: less than one emergency call per home. Effect: seen in the second winter rather than the first. Weakest point: homes that nobody opens.',
    ),
    section(
      'Proposal 3: count what residents spend',
      `Time spent by residents is counted beside money spent by the landlord, in one form used across the ${region}. Cost: half a day of training. Effect: choices between works become comparable. Weakest point: it must be asked in every case, or it misleads.`,
    ),
    section(
      'What we do not propose',
      'We looked at a general allowance and at penalties for late repair. The first would reach many homes that need nothing; the second moves effort to the cases that are easiest to close.',
    ),
    section(
      'Next step',
      'The proposals can be tried separately. The first needs no change of rules and could begin in the next quarter; a review after six months would show whether the others should follow.',
    ),
  ],
}

export const KINDS: readonly Kind[] = [brief, scan, guide, interim, note]
