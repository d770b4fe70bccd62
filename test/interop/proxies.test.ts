import { expect } from '@jest/globals';
import { makeSample, publish } from './peers/ffmpeg.js';
import { startGateway } from './peers/gateway.js';
import { itNeeds } from './peers/needs.js';
import { runNginx, startNginx } from './peers/nginx.js';
import { freePort } from './peers/place.js';
import { token } from './peers/tokens.js';

/** Calls from 127.0.0.9, so that its own address is not the client's. */
async function startProxy(rtmpPort: number, web: string) {
  const [rtmp, http] = [await freePort(), await freePort()];
  const { program } = await runNginx(
    'ngx_stream_module.so',
    (home) => `stream {
  server { listen 127.0.0.1:${rtmp}; proxy_bind 127.0.0.9; proxy_pass 127.0.0.1:${rtmpPort}; proxy_protocol on; }
}
http {
  access_log off;
  client_body_temp_path ${home}/body;
  proxy_temp_path ${home}/proxy;
  fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi;
  scgi_temp_path ${home}/scgi;
  server {
    listen 127.0.0.1:${http};
    location / {
      proxy_bind 127.0.0.9;
      proxy_pass ${web};
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`,
  );
  return { rtmp, http, program };
}

itNeeds(['nginx', 'ffmpeg'], 'nginx tells the client by PROXY protocol and X-Forwarded-For', async () => {
  const origin = await startNginx();
  const local = { host: '127.0.0.1', port: 0 };
  const gateway = await startGateway({
    listen: {
      trustedProxies: ['127.0.0.9'],
      rtmp: { ...local, proxyProtocol: 'required' },
      http: { ...local, forwarded: 'x-forwarded-for' },
      media: local,
    },
    origins: [
      { name: 'nginx', preset: 'generic', rtmp: `rtmp://127.0.0.1:${origin.port}`, http: 'http://127.0.0.1:1' },
    ],
  });
  const proxy = await startProxy(gateway.rtmpPort, gateway.web);

  const publisher = publish(await makeSample(2), `rtmp://127.0.0.1:${proxy.rtmp}/live/cam?token=${token()}`);
  await gateway.logs('session.start');
  expect((await gateway.logs('decision', { transport: 'RTMP' }))['address']).toBe('127.0.0.1');
  await publisher.stop('SIGINT');

  const answer = await fetch(`http://127.0.0.1:${proxy.http}/live/whip/cam`, {
    ...{
      method: 'POST',
      headers: { 'content-type': 'application/sdp', 'x-forwarded-for': '192.0.2.66' },
      body: 'v=0\r\n',
    },
  });
  expect(answer.status).toBe(401);
  expect((await gateway.logs('decision', { transport: 'WHIP' }))['address']).toBe('127.0.0.1');

  const direct = await fetch(`${gateway.web}/live/whip/cam`, {
    ...{
      method: 'POST',
      headers: { 'content-type': 'application/sdp', 'x-forwarded-for': '192.0.2.66' },
      body: 'v=0\r\n',
    },
  });
  expect(direct.status).toBe(401);
  expect(gateway.lines('decision').map((line) => line['address'])).not.toContain('192.0.2.66');
  await proxy.program.stop('SIGTERM');
  await gateway.stop();
  await origin.stop();
});
