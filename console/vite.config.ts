import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// `npm run dev` serves the sources themselves, with the API of the server that SHOWCALLER_SERVER names.
const server = process.env.SHOWCALLER_SERVER ?? 'http://127.0.0.1:8700'

export default defineConfig({
  plugins: [svelte()],
  build: { target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: { proxy: { '/api': server } },
})
