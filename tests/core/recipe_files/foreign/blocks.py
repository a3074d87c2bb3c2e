"""Blocks in the layouts of the tools, which several test modules use. The words and numbers are ours."""

from __future__ import annotations

import json
from typing import Any

A1111 = (
    "a lake at dawn, (mist:1.2),\nsecond line <lora:oil_paint:0.8>\n"
    "Negative prompt: blurry, text,\nwatermark\n"
    "Steps: 30, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1234567, Size: 512x768, "
    "Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, Denoising strength: 0.55, Clip skip: 2, "
    'Lora hashes: "oil_paint: 7c6bad76eb54, other: 0123456789ab", Mask blur: 4, Version: v1.10.1'
)
FORGE = (
    "a lake at dawn\n"
    "Steps: 20, Sampler: Euler, Schedule type: Simple, CFG scale: 1, Distilled CFG Scale: 3.5, Seed: 42, "
    "Size: 896x1152, Model hash: c161224931, Model: flux1-dev-bnb-nf4-v2, Denoising strength: 0.75, "
    "Version: f2.0.1v1.10.1-previous-659, Diffusion in Low Bits: Automatic (fp16 LoRA), Module 1: ae, Module 2: clip_l"
)

INVOKEAI: dict[str, Any] = {
    "generation_mode": "flux_img2img",
    "positive_prompt": "a lake at dawn",
    "negative_prompt": "blurry",
    "width": 1024,
    "height": 768,
    "seed": 1844674407,
    "guidance": 4.0,
    "steps": 30,
    "strength": 0.7,
    "scheduler": "euler",
    "model": {"key": "k", "hash": "blake3:00", "name": "FLUX Dev", "base": "flux", "type": "main"},
    "loras": [
        {"model": {"key": "l", "hash": "blake3:01", "name": "Oil", "base": "flux", "type": "lora"}, "weight": 0.75}
    ],
    "vae": {"key": "v", "hash": "blake3:02", "name": "FLUX.1-schnell_ae", "base": "flux", "type": "vae"},
    "cfg_scale": None,
    "app_version": "5.6.0",
}

COMFYUI: dict[str, Any] = {
    "6": {"inputs": {"text": "a lake at dawn", "clip": ["11", 0]}, "class_type": "CLIPTextEncode"},
    "8": {"inputs": {"samples": ["13", 0], "vae": ["10", 0]}, "class_type": "VAEDecode"},
    "9": {"inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}, "class_type": "SaveImage"},
    "10": {"inputs": {"vae_name": "ae.safetensors"}, "class_type": "VAELoader"},
    "11": {
        "inputs": {"clip_name1": "t5xxl_fp16.safetensors", "clip_name2": "clip_l.safetensors", "type": "flux"},
        "class_type": "DualCLIPLoader",
    },
    "12": {
        "inputs": {"unet_name": "flux1-dev.safetensors", "weight_dtype": "default"},
        "class_type": "UNETLoader",
        "_meta": {"title": "Load Diffusion Model"},
    },
    "13": {
        "inputs": {
            "noise": ["25", 0],
            "guider": ["22", 0],
            "sampler": ["16", 0],
            "sigmas": ["17", 0],
            "latent_image": ["28", 0],
        },
        "class_type": "SamplerCustomAdvanced",
        "is_changed": [float("nan")],
    },
    "16": {"inputs": {"sampler_name": "euler"}, "class_type": "KSamplerSelect"},
    "17": {
        "inputs": {"scheduler": "simple", "steps": 20, "denoise": 0.5, "model": ["12", 0]},
        "class_type": "BasicScheduler",
    },
    "22": {"inputs": {"model": ["12", 0], "conditioning": ["26", 0]}, "class_type": "BasicGuider"},
    "25": {"inputs": {"noise_seed": 219670278}, "class_type": "RandomNoise"},
    "26": {"inputs": {"guidance": 3.5, "conditioning": ["6", 0]}, "class_type": "FluxGuidance"},
    "28": {"inputs": {"pixels": ["29", 0], "vae": ["10", 0]}, "class_type": "VAEEncode"},
    "29": {"inputs": {"image": "photo.png", "upload": "image"}, "class_type": "LoadImage"},
}

FOOOCUS: dict[str, Any] = {
    "adm_guidance": "(1.5, 0.8, 0.3)",
    "base_model": "juggernautXL_v8Rundiffusion",
    "base_model_hash": "aeb7e9e689",
    "full_negative_prompt": ["blurry", "anime"],
    "full_prompt": ["cinematic still a lake at dawn . emotional", "a lake at dawn, intricate"],
    "guidance_scale": 4.0,
    "lora_combined_1": "sd_xl_offset_example-lora_1.0 : 0.1",
    "loras": [["sd_xl_offset_example-lora_1.0", 0.1, "4852686128"]],
    "metadata_scheme": "fooocus",
    "negative_prompt": "blurry",
    "performance": "Speed",
    "prompt": "a lake at dawn",
    "prompt_expansion": "a lake at dawn, intricate",
    "refiner_model": "None",
    "refiner_switch": 0.5,
    "resolution": "(1152, 896)",
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "seed": "123456",
    "sharpness": 2.0,
    "steps": 30,
    "styles": "['Fooocus V2', 'Fooocus Enhance']",
    "vae": "Default (model)",
    "version": "Fooocus v2.5.5",
}
FOOOCUS_TEXT = (
    "cinematic still a lake at dawn . emotional, a lake at dawn, intricate\n"
    "Negative prompt: blurry, anime\n"
    "Steps: 30, Sampler: DPM++ 2M SDE Karras, Seed: 123456, Size: 1152x896, CFG scale: 4.0, Sharpness: 2.0, "
    'ADM Guidance: "(1.5, 0.8, 0.3)", Model: juggernautXL_v8Rundiffusion, Model hash: aeb7e9e689, Performance: Speed, '
    'Scheduler: karras, VAE: Default (model), Raw prompt: "a lake at dawn,\\nsecond line", '
    'Raw negative prompt: blurry, Lora hashes: "offset: 4852686128", Lora weights: "offset: 0.1", '
    "Version: Fooocus v2.5.5"
)

SWARMUI: dict[str, Any] = {
    "sui_image_params": {
        "prompt": "a lake at dawn <lora:oil:0.6>",
        "model": "Flux/flux1-dev",
        "seed": 1,
        "steps": 20,
        "cfgscale": 1.0,
        "fluxguidancescale": 3.5,
        "initimagecreativity": 0.6,
        "aspectratio": "1:1",
        "width": 1024,
        "height": 1024,
        "sampler": "euler",
        "scheduler": "simple",
        "automaticvae": True,
        "negativeprompt": "",
        "loras": ["oil"],
        "loraweights": ["0.6"],
        "swarm_version": "0.9.5.0",
    },
    "sui_extra_data": {"date": "2025-03-01", "prep_time": "6.11 sec", "generation_time": "4.84 sec"},
    "sui_models": [{"name": "Flux/flux1-dev.safetensors", "param": "model", "hash": "0x00"}],
}

NOVELAI: dict[str, Any] = {
    "prompt": "a lake at dawn, very aesthetic",
    "steps": 28,
    "height": 1216,
    "width": 832,
    "scale": 5.0,
    "uncond_scale": 0.0,
    "cfg_rescale": 0.0,
    "seed": 1166865010,
    "n_samples": 1,
    "noise_schedule": "karras",
    "strength": 0.7,
    "noise": 0.2,
    "v4_prompt": {
        "caption": {
            "base_caption": "a lake at dawn",
            "char_captions": [{"char_caption": "a fisher", "centers": [{"x": 0.5, "y": 0.5}]}],
        },
        "use_coords": False,
        "use_order": True,
    },
    "v4_negative_prompt": {"caption": {"base_caption": "blurry", "char_captions": []}},
    "sampler": "k_euler_ancestral",
    "sm": False,
    "uc": "blurry",
    "request_type": "Img2ImgRequest",
    "signed_hash": "bm90IGEgcmVhbCBoYXNo",
}
NOVELAI_TEXTS = {
    "Title": "NovelAI generated image",
    "Description": "a lake at dawn, very aesthetic",
    "Software": "NovelAI",
    "Source": "NovelAI Diffusion V4.5 4BDE2A90",
    "Generation time": "4.2",
    "Comment": json.dumps(NOVELAI),
}

FILES: dict[str, dict[str, str]] = {
    "a1111": {"parameters": A1111},
    "forge": {"exif:UserComment": FORGE},
    "invokeai": {"invokeai_metadata": json.dumps(INVOKEAI), "invokeai_graph": "{}"},
    "comfyui": {"prompt": json.dumps(COMFYUI), "workflow": "{}"},
    "fooocus": {"parameters": json.dumps(FOOOCUS), "fooocus_scheme": "fooocus"},
    "fooocus-text": {"parameters": FOOOCUS_TEXT, "fooocus_scheme": "a1111"},
    "swarmui": {"parameters": json.dumps(SWARMUI, indent=2)},
    "novelai": NOVELAI_TEXTS,
}
"""The texts of a file of each kind."""
