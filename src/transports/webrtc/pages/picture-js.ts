/** A picture and a tone that need neither camera nor permission: a moving bar, the time, and 440 Hz. */
export const PICTURE_JS = String.raw`
const COLOURS = ['#c0c0c0', '#c0c000', '#00c0c0', '#00c000', '#c000c0', '#c00000', '#0000c0'];

function draw(canvas, context, frame) {
  const { width, height } = canvas;
  COLOURS.forEach((colour, index) => {
    context.fillStyle = colour;
    context.fillRect((index * width) / COLOURS.length, 0, width / COLOURS.length + 1, height);
  });
  context.fillStyle = '#fff';
  context.fillRect((frame * 7) % width, 0, 12, height);
  context.fillStyle = '#000c';
  context.fillRect(width * 0.1, height * 0.4, width * 0.8, height * 0.2);
  context.fillStyle = '#fff';
  context.font = 'bold ' + Math.round(height / 9) + 'px monospace';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(new Date().toISOString().slice(11, 23), width / 2, height / 2);
}

/** Starts both; stop() of what comes back ends them. */
export async function testPicture() {
  const canvas = document.createElement('canvas');
  canvas.width = 1280;
  canvas.height = 720;
  const context = canvas.getContext('2d');
  let frame = 0;
  draw(canvas, context, frame);
  // A timer and not an animation frame: it goes on, slower, while the tab is hidden.
  const timer = setInterval(() => draw(canvas, context, (frame += 1)), 1000 / 30);
  const stream = canvas.captureStream(30);
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  const out = audio.createMediaStreamDestination();
  tone.frequency.value = 440;
  volume.gain.value = 0.05;
  tone.connect(volume).connect(out);
  tone.start();
  await audio.resume();
  for (const track of out.stream.getAudioTracks()) stream.addTrack(track);
  return {
    stream,
    stop() {
      clearInterval(timer);
      void audio.close();
      for (const track of stream.getTracks()) track.stop();
    },
  };
}
`;
