import { pageHtml } from './page-html.js';

/** The page to publish from. */
export const PUBLISH_HTML = pageHtml({
  title: 'Publish',
  other: ['watch', 'Watch a stream'],
  script: 'publish.js',
  video: 'autoplay muted',
  fields: `        <div class="pair">
          <label>Picture
            <select id="source">
              <option value="picture">Test picture</option>
              <option value="camera">Camera</option>
            </select>
          </label>
          <label>Codec
            <select id="codec">
              <option value="">Any</option>
              <option value="video/H264">H.264</option>
              <option value="video/VP8">VP8</option>
              <option value="video/VP9">VP9</option>
              <option value="video/AV1">AV1</option>
            </select>
          </label>
        </div>`,
  start: 'Publish',
  figures: [
    ['time', 'Live for'],
    ['size', 'Picture'],
    ['codecs', 'Codecs'],
    ['frames', 'Frames sent'],
    ['bytes', 'Sent'],
    ['rate', 'Bitrate'],
    ['lost', 'Packets lost'],
    ['rtt', 'Round trip'],
  ],
});
