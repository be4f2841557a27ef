import { FatalError, handler } from 'errand'
import { fileTag } from '../files/contract.ts'
import { checkPicture, picture, resizePicture, WIDTHS } from './contract.ts'
import { decodePng, encodePng, PngUnfit, pngSize } from './png.ts'
import { resize } from './resize.ts'

export const pipeline = handler(picture, {
  async run({ fileId }, { id, fence, call, progress, resources }) {
    resources.documentRecords.uploads.needed(fileId, fence)
    const tags = [fileTag(id)]
    const size = await call('check', checkPicture, { fileId }, { tags })
    const widths = WIDTHS.filter((width) => width < size.width)
    progress({ status: 'resizing' })
    const sizes = await Promise.all(
      widths.map((width) => call(`resize-${width}`, resizePicture, { fileId, width }, { tags })),
    )
    return { ...size, sizes }
  },
})

export const check = handler(checkPicture, {
  run: ({ fileId }, { resources: { documentRecords } }) =>
    fitting(() => pngSize(documentRecords.uploads.read(fileId))),
})

export const resizing = handler(resizePicture, {
  async run({ fileId, width }, { id, artifact, progress, resources: { documentRecords } }) {
    const content = documentRecords.uploads.read(fileId)
    progress({ done: 0, total: 3, status: 'reading pixels' })
    const pixels = fitting(() => decodePng(content))
    progress({ done: 1, total: 3, status: 'making it smaller' })
    const smaller = resize(pixels, width)
    progress({ done: 2, total: 3, status: 'writing the file' })
    const png = encodePng(smaller)
    const file = `${width}.png`
    await artifact(file, png, { type: 'image/png' })
    const { height } = smaller
    return { taskId: id, file, width, height, bytes: png.length }
  },
})

function fitting<Value>(read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (error instanceof PngUnfit) throw new FatalError(error.message)
    throw error
  }
}
