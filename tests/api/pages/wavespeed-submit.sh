curl --location --request POST "https://api.wavespeed.ai/api/v3/wavespeed-ai/flux-srpo/image-to-image" \
--header "Content-Type: application/json" \
--header "Authorization: Bearer ${WAVESPEED_API_KEY}" \
--data-raw '{
"strength": 0.8,
"num_inference_steps": 28,
"seed": -1,
"guidance_scale": 3.5,
"output_format": "jpeg",
"enable_base64_output": false,
"enable_sync_mode": false
}'
