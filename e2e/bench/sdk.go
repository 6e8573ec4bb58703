package main

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
)

// withSDK signs with the AWS SDK for each request, and decides nothing.
type withSDK struct {
	authv3.UnimplementedAuthorizationServer
	client *s3.PresignClient
}

func sdkServer(s size) (*grpc.Server, error) {
	client := s3.New(s3.Options{Region: "eu-west-1", UsePathStyle: true, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret", SessionToken: strings.Repeat("t", s.token)}, nil
	})})
	server := grpc.NewServer()
	authv3.RegisterAuthorizationServer(server, withSDK{client: s3.NewPresignClient(client)})
	return server, nil
}

func (w withSDK) Check(ctx context.Context, _ *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	signed, err := w.client.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("imaging"), Key: aws.String("radiology/2026/study-0001/slice 1+2.png")}, s3.WithPresignExpires(time.Minute))
	if err != nil {
		return nil, err
	}
	return &authv3.CheckResponse{HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{
		Headers: []*corev3.HeaderValueOption{{Header: &corev3.HeaderValue{Key: ":path", Value: signed.URL}}},
	}}}, nil
}
