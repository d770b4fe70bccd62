import { pageHtml } from './page-html.js';

/** The page to watch on. */
export const WATCH_HTML = pageHtml({
  title: 'Watch',
  other: ['publish', 'Publish a stream'],
  script: 'watch.js',
  // Browsers play what is silent without being asked; the sound is one click away.
  video: 'autoplay muted controls',
  fields: '',
  start: 'Watch',
  figures: [
    ['time', 'Playing for'],
    ['size', 'Picture'],
    ['codecs', 'Codecs'],
    ['frames', 'Frames decoded'],
    ['bytes', 'Received'],
    ['rate', 'Bitrate'],
    ['lost', 'Packets lost'],
    ['freezes', 'Freezes'],
    ['rtt', 'Round trip'],
  ],
});
